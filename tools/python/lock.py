"""Re-lock the requirements files with uv, for every supported Python and platform."""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys

from tools import cli

COMMAND = "./bazelw run //tools/python:lock"

# In this order: the second is constrained by the first, so that both fit into one process.
LOCKS = {
    "tools/python/requirements": None,
    "tools/python/requirements_dev": "tools/python/requirements",
    "tools/linker/requirements": None,
    "tests/remote/requirements": None,
}


def pip_index() -> dict[str, str]:
    """The package index that the machine's pip is configured with, as uv's environment wants it."""
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return {"UV_DEFAULT_INDEX": done.stdout.strip()} if done.returncode == 0 else {}


def lock(root: pathlib.Path, name: str, constraint: str | None, upgrade: bool) -> None:
    """Write `name`.lock from `name`.in, with a hash of every file for every platform.

    Raises:
      UserError: When uv finds no solution.
    """
    command = [
        *(sys.executable, "-m", "uv", "pip", "compile", "--quiet"),
        *("--universal", "--generate-hashes", "--python-version", "3.10", "--no-annotate"),
        *("--custom-compile-command", COMMAND, f"{name}.in", "--output-file", f"{name}.lock"),
        *(["--constraint", f"{constraint}.lock"] if constraint else []),
        *(["--upgrade"] if upgrade else []),
    ]
    environment = {**os.environ, **pip_index(), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=root, env=environment, check=False)
    if done.returncode:
        raise cli.UserError(f"{name}.in: uv found no set of packages; its message stands above")


def main(argv: list[str] | None = None) -> int:
    """Lock every file; `--upgrade` also takes newer releases."""
    parser = argparse.ArgumentParser(prog="lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest releases allowed")
    parser.add_argument(
        "--root",
        type=pathlib.Path,
        default=os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."),
        help="the source tree (default: the workspace of `bazel run`)",
    )
    args = parser.parse_args(argv)
    for name, constraint in LOCKS.items():
        lock(args.root, name, constraint, args.upgrade)
        print(f"locked {name}.lock")
    return 0


if __name__ == "__main__":
    cli.run(main)
