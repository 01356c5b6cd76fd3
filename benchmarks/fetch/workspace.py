"""A workspace that bundles models of the benchmark's Hub."""

from __future__ import annotations

import os
import pathlib
import subprocess
import time

from benchmarks.fetch.hub import REPO, ROOT
from tools.hub.lock import Model, lock

_MODULE = """\
module(name = "app")

bazel_dep(name = "rules_mlc", version = "0.1.0")
local_path_override(module_name = "rules_mlc", path = "{root}")

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


class Workspace:
    """Runs Bazel on models that are locked."""

    def __init__(self, root: pathlib.Path, url: str, names: list[str]) -> None:
        """Writes the workspace and its lock."""
        self.root = root / "app"
        self._root = root
        self._names = names
        self.root.mkdir()
        (root / "home").mkdir()
        # The launcher's own cache stays where it is; everything else of the user's is hidden.
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("HF_", "MLC_LLM_"))},
            "MLC_CACHE_HOME": os.environ.get("MLC_CACHE_HOME", f"{cache}/rules_mlc"),
            "XDG_CACHE_HOME": str(root / "home"),
            "HF_HOME": str(root / "home/huggingface"),
            "HF_ENDPOINT": url,
            "HF_HUB_DOWNLOAD_TIMEOUT": "120",  # it hashes what it lists first
        }
        # A sandbox hides /tmp, and this repository may lie there.
        mount = f"build --sandbox_add_mount_pair={ROOT}\n"
        bazelrc = (ROOT / ".bazelrc").read_text(encoding="utf-8") + mount
        (self.root / ".bazelrc").write_text(bazelrc, encoding="utf-8")
        tags = "".join(_TAG.format(name=name, repo=REPO.format(name=name)) for name in names)
        quoted = ", ".join(f'"{name}"' for name in names)
        module = _MODULE.format(root=ROOT, tags=tags, names=quoted)
        (self.root / "MODULE.bazel").write_text(module, encoding="utf-8")
        self.write_build("first")
        exclude = [".*", "*/.*", "*.md"]
        for name in names:
            model = Model(REPO.format(name=name), exclude=exclude, name=name)
            lock(model, self.root, self.environment)

    def write_build(self, model_id: str) -> None:
        """Writes the BUILD file; every model has this id."""
        packages = (_PACKAGE.format(name=name, model_id=model_id) for name in self._names)
        text = _BUILD.format(first=self._names[0]) + "".join(packages)
        (self.root / "BUILD.bazel").write_text(text, encoding="utf-8")

    def bazel(self, *arguments: str) -> float:
        """Runs a Bazel command and returns its seconds."""
        start = time.monotonic()
        done = subprocess.run(
            [ROOT / "bazelw", f"--output_user_root={self._root}/out", *arguments],
            cwd=self.root,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise SystemExit(done.stdout)
        return time.monotonic() - start

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the server, and makes what it wrote removable."""
        self.bazel("shutdown")
        subprocess.run(["chmod", "-R", "u+w", self._root / "out"], check=False)
