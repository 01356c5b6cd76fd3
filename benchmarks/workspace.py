"""A scratch workspace that uses rules_mlc, and the Bazel that builds in it, timed."""

from __future__ import annotations

import os
import pathlib
import subprocess
import tempfile
import time
from collections.abc import Callable

ROOT = pathlib.Path(__file__).parents[1]
"""This repository."""

MODULE = f"""\
module(name = "app")

bazel_dep(name = "rules_mlc", version = "0.1.0")
local_path_override(module_name = "rules_mlc", path = "{ROOT}")
"""

EMPTY_TARGET = "//:empty"

EMPTY = """\
genrule(name = "empty", outs = ["file"], cmd = "touch $@")
"""
"""A BUILD file of which a build costs what Bazel itself does."""


class Workspace:
    """Runs Bazel in `root`/app; its server ends with the block.

    Args:
        root: A directory for the workspace and all that its builds write.
        module: What its MODULE.bazel says.
        variables: Variables of Bazel's environment, beside the caller's.
    """

    def __init__(
        self, root: pathlib.Path, module: str = MODULE, variables: dict[str, str] | None = None
    ) -> None:
        self.root = root / "app"
        self._out = root / "out"
        self.root.mkdir(parents=True)
        # The launcher's own cache stays where it is, wherever the variables lead.
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        launcher = os.environ.get("MLC_CACHE_HOME", f"{cache}/rules_mlc")
        self.environment = {**os.environ, "MLC_CACHE_HOME": launcher, **(variables or {})}
        # A sandbox hides /tmp, and this repository may lie there.
        mount = f"build --sandbox_add_mount_pair={ROOT}\n"
        self.write(".bazelrc", (ROOT / "mlc.bazelrc").read_text(encoding="utf-8") + mount)
        self.write("MODULE.bazel", module)

    def write(self, name: str, text: str) -> None:
        """Writes a file of the workspace."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, *arguments: str) -> str:
        """Runs a Bazel command and returns what it prints on stdout."""
        done = subprocess.run(
            [ROOT / "bazelw", f"--output_user_root={self._out}", *arguments],
            cwd=self.root,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise SystemExit(done.stderr)
        return done.stdout

    def bazel(self, *arguments: str) -> float:
        """Runs a Bazel command and returns its seconds."""
        start = time.monotonic()
        self.run(*arguments)
        return time.monotonic() - start

    def processor_seconds(self) -> float:
        """Seconds of processors that Bazel's server, and what it ran to the end, have used."""
        pid = self.run("info", "server_pid").strip()
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the server, and makes what it wrote removable."""
        self.bazel("shutdown")
        subprocess.run(["chmod", "-R", "u+w", self._out], check=False)


def take_turns(runs: dict[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Runs each in turn, so that all meet the same machine.

    Args:
        runs: What to run, by name; each returns its seconds.
        repeats: How often.

    Returns:
        The seconds of each.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name, run in runs.items():
            seconds[name].append(run())
    return seconds


class Scratch(tempfile.TemporaryDirectory):
    """A directory that ends with the block, as a path."""

    def __init__(self) -> None:
        super().__init__(prefix="benchmark-")

    def __enter__(self) -> pathlib.Path:
        return pathlib.Path(super().__enter__())
