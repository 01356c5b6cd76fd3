"""Format and lint the source tree: ruff for Python, buildifier for Starlark."""

from __future__ import annotations

import argparse
import os
import pathlib
import platform
import shutil
import subprocess
import sys

from tools import cli

# From npm: the programs themselves, as released by the Bazel project.
BUILDIFIER = "@bazel/buildifier@8.2.1"

STARLARK = ("*.bzl", "*.BUILD", "*BUILD.bazel", "*MODULE.bazel", "*WORKSPACE")

# Our tools and tests use rules/private; users may not, and cannot by visibility.
WARNINGS = "-warnings=-bzl-visibility"


def cache_folder() -> pathlib.Path:
    """Where programs of the linter are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(base) / "rules_mlc" / "lint"


def buildifier() -> pathlib.Path:
    """The buildifier on PATH, else one that npm installs into the cache folder.

    Raises:
      UserError: When neither is to be had.
    """
    if found := shutil.which("buildifier"):
        return pathlib.Path(found)
    if not shutil.which("npm"):
        raise cli.UserError("buildifier: not on PATH, and npm, which would install it, is missing")
    folder = cache_folder() / BUILDIFIER.rpartition("@")[2]
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system(), "unknown")
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    program = folder / f"node_modules/@bazel/buildifier/buildifier-{system}_{machine}"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--silent", "--no-save", "--prefix", str(folder), BUILDIFIER]
        if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
            raise cli.UserError(f"npm could not install {BUILDIFIER}; its message stands above")
    if not program.exists():
        raise cli.UserError(f"{BUILDIFIER} has no program for {system} on {machine}")
    program.chmod(0o755)
    return program


def starlark_files(root: pathlib.Path) -> list[str]:
    """Starlark files of the source tree, tracked or new, relative to `root`."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *STARLARK]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    return [name for name in done.stdout.splitlines() if (root / name).is_file()]


def commands(root: pathlib.Path, check: bool) -> list[list[str]]:
    """Every command to run, in order."""
    ruff = [sys.executable, "-m", "ruff"]
    starlark = starlark_files(root)
    program = str(buildifier())
    if check:
        return [
            [*ruff, "format", "--check", "--quiet", "."],
            [*ruff, "check", "--quiet", "."],
            [program, "-mode=check", "-lint=warn", WARNINGS, *starlark],
        ]
    return [
        [*ruff, "check", "--fix", "--quiet", "."],
        [*ruff, "format", "--quiet", "."],
        [program, "-mode=fix", "-lint=fix", WARNINGS, *starlark],
    ]


def main(argv: list[str] | None = None) -> int:
    """Run every formatter and linter; exit status 1 when one complains."""
    parser = argparse.ArgumentParser(prog="lint", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    parser.add_argument(
        "--root",
        type=pathlib.Path,
        default=os.environ.get("BUILD_WORKSPACE_DIRECTORY", "."),
        help="the source tree (default: the workspace of `bazel run`)",
    )
    args = parser.parse_args(argv)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path))}
    bad = 0
    for command in commands(args.root, args.check):
        bad |= subprocess.run(command, cwd=args.root, env=environment, check=False).returncode
    if bad and args.check:
        raise cli.UserError("not clean; mend it with ./bazelw run //tools/lint")
    print("clean" if not bad else "problems remain, listed above")
    return 1 if bad else 0


if __name__ == "__main__":
    cli.run(main)
