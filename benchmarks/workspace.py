"""A scratch workspace that uses rules_mlc, and the Bazel that builds in it, timed."""

from __future__ import annotations

import os
import pathlib
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).parents[1]
"""This repository."""

MODULE = f"""\
module(name = "app")

bazel_dep(name = "rules_mlc", version = "0.1.0")
local_path_override(module_name = "rules_mlc", path = "{ROOT}")
"""


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
        self.write(".bazelrc", (ROOT / ".bazelrc").read_text(encoding="utf-8") + mount)
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

    def server_seconds(self) -> float:
        """Seconds of processors that Bazel's server has used since it started."""
        pid = self.run("info", "server_pid").strip()
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the server, and makes what it wrote removable."""
        self.bazel("shutdown")
        subprocess.run(["chmod", "-R", "u+w", self._out], check=False)


class Scratch(tempfile.TemporaryDirectory):
    """A directory that ends with the block, as a path."""

    def __init__(self) -> None:
        super().__init__(prefix="benchmark-")

    def __enter__(self) -> pathlib.Path:
        return pathlib.Path(super().__enter__())
