"""The Bazel workspace that ``mlc-package`` works in: a folder of the cache, one for all apps."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from tools import cli
from tools.mlc_package.runtime import VARIABLES, Sources

_MODULE = """\
module(name = "mlc_package")

bazel_dep(name = "rules_mlc")
local_path_override(
    module_name = "rules_mlc",
    path = {rules},
)

mlc = use_extension("@rules_mlc//rules:extensions.bzl", "mlc")
mlc.package(
    name = "{name}",
    cached = {cached},
    config = "//:{name}.json",
    devices = {devices},
    directory = {directory},
    lock = "//:{name}.lock.json",
    runtime_from_source = {runtime},
    strict = {strict},
)
use_repo(mlc, "{name}")
"""

_RC = """\
import "{rules}/mlc.bazelrc"
common --lockfile_mode=off
try-import %workspace%/user.bazelrc
"""

# Progress and errors are shown, and nothing else.
_QUIET = ("--show_result=0", "--ui_event_filters=-debug,-info")


class Workspace:
    """The workspace, for the config of one app.

    Attributes:
        name: What Bazel calls the app's repository: another for each config file.
    """

    def __init__(self, cache: Path, rules: Path, config: Path) -> None:
        """Takes the cache folder, the folder of rules_mlc, and the absolute path of the config."""
        digest = hashlib.sha256(os.fsencode(config)).hexdigest()
        self.name = f"app_{digest[:16]}"
        self._cache = cache
        self._root = cache / "workspace"
        self._rules = rules
        self._config = config

    @property
    def lock(self) -> Path:
        """The commits and digests of the app's models."""
        return self._root / f"{self.name}.lock.json"

    def locked(self) -> set[str]:
        """The models that the lock holds, as ``org/repo``."""
        try:
            models = json.loads(self.lock.read_text(encoding="utf-8"))["models"]
            return {model["repo"] for model in models.values()}
        except (OSError, ValueError, KeyError):
            return set()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other runs of the command out, which would write other files."""
        self._cache.mkdir(parents=True, exist_ok=True)
        waiting = "another mlc-package is running; waiting for it"
        with cli.locked(self._cache / "lock", waiting):
            yield

    def is_used(self) -> bool:
        """Whether Bazel has run in the cache folder before."""
        return (self._cache / "bazel").exists()

    def is_written(self) -> bool:
        """Whether the files are those of this app and this rules_mlc, from the last run."""
        try:
            text = (self._root / "MODULE.bazel").read_text(encoding="utf-8")
            settings = (self._root / ".bazelrc").read_text(encoding="utf-8")
        except FileNotFoundError:
            return False
        ours = settings.startswith(_RC.format(rules=self._rules))
        return ours and _literal(self.name) in text and _literal(str(self._rules)) in text

    def write(
        self,
        devices: list[str],
        cached: Mapping[str, Path],
        strict: bool,
        sources: Sources | None,
    ) -> None:
        """Writes the workspace's files; what they do not change is not built again.

        Args:
            devices: What to build for.
            cached: Where models of the Hub lie on this machine, by ``org/repo``.
            strict: Whether unknown keys are errors.
            sources: What the runtime is built of, if it is.
        """
        text = _MODULE.format(
            name=self.name,
            rules=_literal(str(self._rules)),
            cached=_literal({repo: str(path) for repo, path in cached.items()}),
            devices=_literal(devices),
            directory=_literal(str(self._config.parent)),
            runtime=_literal(sources.version if sources else ""),
            strict=strict,
        )
        cli.write_text(self._root / "MODULE.bazel", text)
        cli.write_text(self._root / "BUILD.bazel", "")
        variables = "".join(f"build --action_env={name}\n" for name in VARIABLES if sources)
        cli.write_text(self._root / ".bazelrc", _RC.format(rules=self._rules) + variables)
        cli.write_bytes(self._root / f"{self.name}.json", self._config.read_bytes())

    def build(self, target: str) -> int:
        """Builds a target, and shows how far that is; returns the exit status."""
        return self.bazel("build", *_QUIET, target).returncode

    def run(
        self,
        target: str,
        arguments: list[str],
        flags: list[str] | None = None,
        environment: dict[str, str] | None = None,
        capture: bool = False,
    ) -> subprocess.CompletedProcess[str]:
        """Builds a target and runs it.

        Args:
            target: Its label.
            arguments: Of the target.
            flags: Of Bazel.
            environment: More variables.
            capture: Whether what is shown is returned instead.
        """
        command = [*_QUIET, *(flags or []), target, "--", *arguments]
        return self.bazel("run", *command, environment=environment, capture=capture)

    def bazel(
        self, *command: str, environment: dict[str, str] | None = None, capture: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command of Bazel in the workspace; the rest is as in `run`."""
        # Those of a `bazel run` that started us name another workspace.
        ours = ("BUILD_WORKSPACE_DIRECTORY", "BUILD_WORKING_DIRECTORY", "RUNFILES_DIR")
        inherited = {name: value for name, value in os.environ.items() if name not in ours}
        startup = [str(self._rules / "bazelw"), f"--output_user_root={self._cache / 'bazel'}"]
        return subprocess.run(
            [*startup, *command],
            cwd=self._root,
            env={**inherited, **(environment or {})},
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.PIPE if capture else None,
            text=True,
            check=False,
        )

    def forget(self, repository: str) -> None:
        """Removes what was built of a repository of rules_mlc's extension, so that it is again."""
        outputs = "bazel/*/execroot/_main/bazel-out/*/bin/external"
        for built in self._cache.glob(f"{outputs}/*mlc[~+]{repository}"):
            for link in filter(Path.is_symlink, built.iterdir()):
                # Libraries lie where rules_mlc compiles them, each in a folder of its own.
                folder = Path(os.readlink(link)).parent
                if folder.match("bin/external/rules_mlc*/rules/private"):
                    shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(built)


def _literal(value: object) -> str:
    """Returns strings, and lists and dicts of them, as Starlark."""
    return json.dumps(value, ensure_ascii=False)
