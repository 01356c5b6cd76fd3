"""Install a hash-locked requirements file into one directory whose bytes depend on nothing else.

Run by the repository rule of the Python environment, before any action exists. It uses the standard
library and the interpreter's own pip only, so it works on a machine that has nothing but both.
"""

from __future__ import annotations

import argparse
import compileall
import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
import py_compile
import re
import shutil
import subprocess
import sys
import sysconfig

SUPPORTED = ((3, 10), (3, 13))

_NOT_IMPORTED = {
    *(".c", ".cc", ".cpp", ".cu", ".cuh", ".f", ".f90", ".h", ".hpp"),
    *(".pxd", ".pyi", ".pyx"),
}


def base_interpreter() -> str:
    """The real path of this interpreter, outside of any virtual environment or version shim."""
    return os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)


def stamp(lock: pathlib.Path) -> dict[str, str]:
    """What of the interpreter and lock a result may depend on; no path, equal on equal machines."""
    return {
        "abi": sysconfig.get_config_var("SOABI") or "",
        "implementation": platform.python_implementation(),
        "lock_sha256": hashlib.sha256(lock.read_bytes()).hexdigest(),
        "platform": sysconfig.get_platform(),
        "version": platform.python_version(),
    }


def pip_install(lock: pathlib.Path, site: pathlib.Path, options: list[str]) -> None:
    """Install exactly what `lock` names, checked by hash, binaries only.

    Raises:
      SystemExit: With one line that names the cause, when pip is missing or refuses.
    """
    command = [
        *(sys.executable, "-m", "pip", "install"),
        *("--quiet", "--disable-pip-version-check", "--no-input", "--root-user-action=ignore"),
        *("--no-deps", "--require-hashes", "--only-binary=:all:", "--no-compile"),
        *("--target", str(site), "--requirement", str(lock)),
        *options,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise SystemExit(f"error: {sys.executable} has no pip; install it (Debian: python3-pip)")
    reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
    raise SystemExit("\n".join(["error: pip could not install the lock", *reasons[-3:]]))


def make_deterministic(site: pathlib.Path, keep_scripts: bool) -> None:
    """Remove what names this machine or this moment, and add byte code that never does."""
    if not keep_scripts:
        shutil.rmtree(site / "bin", ignore_errors=True)
    for name in ("RECORD", "direct_url.json", "INSTALLER", "REQUESTED"):
        for path in site.glob(f"*.dist-info/{name}"):
            path.unlink()
    compileall.compile_dir(
        str(site),
        quiet=2,
        workers=0,
        stripdir=str(site),
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def keep_imports(site: pathlib.Path) -> None:
    """Remove headers, stubs, sources of extensions, and tests, which no import reads.

    Bazel looks at every file of the directory before every build, and sends each to remote workers.
    """
    for path in sorted(site.rglob("*"), reverse=True):
        if path.name == "tests" and path.is_dir():
            shutil.rmtree(path)
        elif path.suffix in _NOT_IMPORTED and path.is_file():
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def installed_packages(site: pathlib.Path) -> dict[str, str]:
    """Normalized name -> version of every distribution in `site`."""
    return {
        re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower(): found.version
        for found in importlib.metadata.distributions(path=[str(site)])
    }


def main(argv: list[str] | None = None) -> int:
    """Install, then print a JSON object: interpreter (path), stamp, packages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lock", type=pathlib.Path, required=True, help="requirements with hashes")
    parser.add_argument("--site", type=pathlib.Path, required=True, help="directory to create")
    parser.add_argument("--keep-scripts", action="store_true", help="keep bin/ (linters, uv)")
    parser.add_argument(
        "--imports-only", action="store_true", help="leave out headers, stubs and tests"
    )
    parser.add_argument("--find-links", help="a directory of packages, searched besides the index")
    parser.add_argument("--index-url", help="the index, if not the one that pip is configured with")
    args = parser.parse_args(argv)
    low, high = SUPPORTED
    if not low <= sys.version_info[:2] <= high:
        raise SystemExit(
            f"error: {base_interpreter()} is Python {platform.python_version()}; rules_mlc needs "
            f"CPython {low[0]}.{low[1]} to {high[0]}.{high[1]}: put one on PATH or set MLC_PYTHON"
        )
    options = [
        *(["--find-links", args.find_links] if args.find_links else []),
        *(["--index-url", args.index_url] if args.index_url else []),
    ]
    pip_install(args.lock, args.site, options)
    if args.imports_only:
        keep_imports(args.site)
    make_deterministic(args.site, args.keep_scripts)
    answer = {
        "interpreter": base_interpreter(),
        "packages": installed_packages(args.site),
        "stamp": stamp(args.lock),
    }
    print(json.dumps(answer, indent=2, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
