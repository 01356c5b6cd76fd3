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
import zipfile

SUPPORTED = ((3, 10), (3, 13))

_NOT_IMPORTED = {
    *(".c", ".cc", ".cpp", ".cu", ".cuh", ".f", ".f90", ".h", ".hpp"),
    *(".pxd", ".pyi", ".pyx"),
}

# Extension modules, and libraries such as libgfortran.so.5.0.0.
_NATIVE = re.compile(r"\.(so(\.\d+)*|dylib)$")

# What importlib.metadata is asked for.
_METADATA = {"METADATA", "entry_points.txt"}


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
    """Remove headers, stubs, sources of extensions, and tests, which no import reads."""
    for path in sorted(site.rglob("*"), reverse=True):
        if path.name == "tests" and path.is_dir():
            shutil.rmtree(path)
        elif path.suffix in _NOT_IMPORTED and path.is_file():
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def archive(site: pathlib.Path, archives: pathlib.Path) -> None:
    """Make one archive of each package, for `tools/archived_packages.py`.

    A remote worker lays out a file where there are a thousand. The archives are not compressed and
    their bytes depend on their contents alone; native libraries and metadata lie beside them.
    """
    members: dict[str, list[pathlib.Path]] = {}
    for path in sorted(filter(pathlib.Path.is_file, site.rglob("*"))):
        name = path.relative_to(site)
        top = name.parts[0]
        metadata = top.endswith(".dist-info")
        if _NATIVE.search(path.name) or (metadata and path.name in _METADATA):
            beside = archives / name
            beside.parent.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, beside)
            except OSError:
                shutil.copyfile(path, beside)
        elif not metadata:
            module = path.name if top == "__pycache__" else top
            members.setdefault(module.partition(".")[0], []).append(name)
    for package, names in members.items():
        with zipfile.ZipFile(archives / f"{package}.zip", "w") as file:
            for name in names:
                file.writestr(zipfile.ZipInfo(name.as_posix()), (site / name).read_bytes())


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
    parser.add_argument(
        "--archives", type=pathlib.Path, help="directory to create, with the packages as archives"
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
    if args.archives:
        archive(args.site, args.archives)
    answer = {
        "interpreter": base_interpreter(),
        "packages": installed_packages(args.site),
        "stamp": stamp(args.lock),
    }
    print(json.dumps(answer, indent=2, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
