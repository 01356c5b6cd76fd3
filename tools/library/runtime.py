"""Runtimes that were built elsewhere: whether they are for the device, and hold the libraries."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.cli import UserError
from tools.config import Device
from tools.library import ar_reader, object_file
from tools.library.accept import check_machine
from tools.library.containers import read_objects
from tools.library.library_bin import whole
from tools.weights.digest import digest

_OBJECTS = (b"\x7fELF", b"\xcf\xfa\xed\xfe")


def describe_runtime(
    files: Sequence[Sequence[str]], device: Device, where: str
) -> list[dict[str, Any]]:
    """Returns path, size and digest of each file, sorted.

    Of a static library the first object is looked at, of a shared one the file: all of a library
    are of one compiler.

    Args:
        files: ``(path in the package, file)``.
        device: What the runtime is for.
        where: The target that errors name.

    Raises:
        UserError: A library is for another format, machine or platform than the device's.
    """
    result = []
    for path, file in files:
        if path.endswith((".a", ".so")):
            _check_library(file, device, f"{where}: {file}")
        found = digest(file)
        result.append({"path": path, "nbytes": found["nbytes"], "sha256": found["sha256"]})
    return sorted(result, key=lambda entry: entry["path"])


def check_linked(runtime: str, libraries: Sequence[str], where: str) -> None:
    """Refuses a runtime into which other libraries were linked than these.

    The data of a library is the same bytes in its object and in whatever it was linked into.

    Args:
        runtime: The shared library.
        libraries: Each a .tar of objects.
        where: The target that errors name.
    """
    linked = Path(runtime).read_bytes()
    for library in libraries:
        for name, data in read_objects(library).items():
            found = object_file.parse(data, f"{library}: {name}").library_bins
            for symbol, contents in found.items():
                if whole(contents) not in linked:
                    raise UserError(
                        f"{where}: {os.path.basename(runtime)} does not hold the library of "
                        f"{symbol} as this package has it; link the runtime again with the "
                        "package's libmodel_android.a"
                    )


def _check_library(file: str, device: Device, where: str) -> None:
    data = Path(file).read_bytes()
    if ar_reader.is_archive(data):
        objects = [body for _, body in ar_reader.members(data, where) if body[:4] in _OBJECTS]
        if not objects:
            raise UserError(f"{where}: holds no ELF or Mach-O object; build the runtime again")
        data = objects[0]
    check_machine(object_file.parse(data, where), device, where)
