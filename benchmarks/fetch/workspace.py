"""A workspace that bundles models of the benchmark's Hub."""

from __future__ import annotations

import pathlib

from benchmarks import workspace
from benchmarks.fetch.hub import REPO
from tools.hub.lock import Model, lock

_MODULE = """
mlc = use_extension("@rules_mlc//rules:extensions.bzl", "mlc")
{tags}
use_repo(mlc, {names})
"""

_TAG = 'mlc.hub_model(name = "{name}", model = "{repo}", lock = "//:mlc.lock.json")\n'

_BUILD = """\
load("@rules_mlc//rules:defs.bzl", "mlc_model", "mlc_model_lib", "mlc_package")

mlc_model_lib(name = "lib", config = "@{first}", device = "android")
"""

_PACKAGE = """
mlc_model(name = "{name}", model_id = "{model_id}", lib = ":lib", weights = "@{name}//:weights")
mlc_package(name = "{name}_pkg", device = "android", models = [":{name}"])
"""


class Workspace(workspace.Workspace):
    """Runs Bazel on models that are locked."""

    def __init__(self, root: pathlib.Path, url: str, names: list[str], bazelrc: str = "") -> None:
        """Writes the workspace and its lock; its .bazelrc is this repository's and `bazelrc`."""
        tags = "".join(_TAG.format(name=name, repo=REPO.format(name=name)) for name in names)
        quoted = ", ".join(f'"{name}"' for name in names)
        # All that is the user's is hidden.
        variables = {
            "XDG_CACHE_HOME": str(root / "home"),
            "HF_HOME": str(root / "home/huggingface"),
            "HF_ENDPOINT": url,
            "HF_HUB_DOWNLOAD_TIMEOUT": "120",  # it hashes what it lists first
        }
        super().__init__(
            root, workspace.MODULE + _MODULE.format(tags=tags, names=quoted), variables
        )
        hidden = ("HF_", "MLC_LLM_")
        self.environment = {
            name: value
            for name, value in self.environment.items()
            if name in variables or not name.startswith(hidden)
        }
        with open(self.root / ".bazelrc", "a", encoding="utf-8") as settings:
            settings.write(bazelrc)
        (root / "home").mkdir()
        self._names = names
        self.write_build("first")
        exclude = [".*", "*/.*", "*.md"]
        for name in names:
            model = Model(REPO.format(name=name), exclude=exclude, name=name)
            lock(model, self.root, self.environment)

    def write_build(self, model_id: str) -> None:
        """Writes the BUILD file; every model has this id."""
        packages = (_PACKAGE.format(name=name, model_id=model_id) for name in self._names)
        self.write("BUILD.bazel", _BUILD.format(first=self._names[0]) + "".join(packages))
