"""Say what a Python environment has of upstream's compiler: versions, and a digest of every file.

Run by a repository rule with the environment's own interpreter; it uses the standard library.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import json
import os
import platform
import re
import sys
import sysconfig
from pathlib import Path

# Import name of what a library's bytes depend on.
PACKAGES = ("mlc_llm", "tvm", "tvm_ffi")

# What TVM has called the data of a library, newest first.
SUFFIXES = ("__tvm_ffi__library_bin", "__tvm_ffi_library_bin", "__tvm_dev_mblob")


def location(package: str) -> Path:
    """Returns the directory of a package, without running it.

    Raises:
      SystemExit: With one line, when the environment lacks it.
    """
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(
            f"error: {sys.executable} has no package {package}; "
            "install mlc_llm with its TVM there, or name the directory that has it"
        )
    return Path(found.origin).parent


def digest(directory: Path) -> str:
    """Returns the sha256 of names and contents of every file below, byte code excepted."""
    total = hashlib.sha256()
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            contents = hashlib.sha256(path.read_bytes()).hexdigest()
            total.update(f"{contents}  {path.relative_to(directory).as_posix()}\n".encode())
    return total.hexdigest()


def mlc_llm_version(directory: Path) -> str:
    """Returns the version in libinfo.py: to import mlc_llm would load its native library."""
    text = (directory / "libinfo.py").read_text(encoding="utf-8")
    found = re.search(r"""^__version__ = ["']([^"']+)["']""", text, re.MULTILINE)
    return found.group(1) if found else "unknown"


def symbol_suffix(directories: dict[str, Path]) -> str:
    """Returns the newest name of a library's data that TVM's header or compiler knows."""
    headers = sorted(directories["tvm_ffi"].rglob("module.h"))
    libraries = sorted(p for p in directories["tvm"].rglob("libtvm*") if p.suffix != ".py")
    for path in [*headers, *libraries]:
        contents = path.read_bytes()
        for suffix in SUFFIXES:
            if suffix.encode() in contents:
                return suffix
    raise SystemExit(f"error: {directories['tvm']} is of a TVM that is not known here")


def main(argv: list[str] | None = None) -> int:
    """Print a JSON object: entries (what to link into one directory), packages, stamp, suffix."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--path", action="append", default=[], help="searched first; repeatable")
    args = parser.parse_args(argv)
    sys.path[:0] = args.path
    directories = {package: location(package) for package in PACKAGES}
    versions = {
        "mlc-llm": mlc_llm_version(directories["mlc_llm"]),
        "apache-tvm": importlib.import_module("tvm").__version__,
        "apache-tvm-ffi": importlib.import_module("tvm_ffi").__version__,
    }
    roots = [*args.path, sysconfig.get_path("platlib"), sysconfig.get_path("purelib")]
    entries: dict[str, str] = {}
    for root in roots:
        for name in sorted(os.listdir(root)) if os.path.isdir(root) else ():
            if name not in ("__pycache__", "pip", "setuptools"):
                entries.setdefault(name, os.path.join(os.path.abspath(root), name))
    answer = {
        "entries": entries,
        "interpreter": os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable),
        "packages": versions,
        "stamp": {
            "abi": sysconfig.get_config_var("SOABI") or "",
            "packages": versions,
            "platform": sysconfig.get_platform(),
            "sha256": {package: digest(path) for package, path in directories.items()},
            "version": platform.python_version(),
        },
        "symbol_suffix": symbol_suffix(directories),
    }
    print(json.dumps(answer, indent=2, sort_keys=True))
    return 0


if __name__ == "__main__":
    sys.exit(main())
