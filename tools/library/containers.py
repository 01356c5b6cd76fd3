"""The object files in whatever a compiled library came as."""

from __future__ import annotations

import io
import os
import tarfile
import zlib
from pathlib import Path

from tools.cli import UserError
from tools.library import ar_reader


def read_objects(path: str | os.PathLike[str]) -> dict[str, bytes]:
    """Returns the objects of a ``.tar`` or ``.a`` by distinct names, or the file itself.

    Raises:
        UserError: The file is empty or damaged.
    """
    where = str(path)
    data = Path(path).read_bytes()
    if not data:
        raise UserError(f"{where}: is empty; compile the library again")
    if ar_reader.is_archive(data):
        found = ar_reader.members(data, where)
    elif data.startswith(b"\x1f\x8b") or data[257:262] == b"ustar":
        found = _tar_members(data, where)
    else:
        found = [(os.path.basename(where), data)]
    if not found:
        raise UserError(f"{where}: holds no object; compile the library again")
    return _distinct(found)


def _tar_members(data: bytes, where: str) -> list[tuple[str, bytes]]:
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:*") as tar:
            return [
                (os.path.basename(member.name), tar.extractfile(member).read())
                for member in tar
                if member.isfile()
            ]
    except (tarfile.TarError, EOFError, zlib.error):
        raise UserError(f"{where}: is not a complete .tar; compile the library again") from None


def _distinct(found: list[tuple[str, bytes]]) -> dict[str, bytes]:
    """Returns the members by name; a name that repeats, as in an archive it may, is numbered."""
    result: dict[str, bytes] = {}
    for name, data in found:
        unique, number = name, 1
        while unique in result:
            number += 1
            stem, suffix = os.path.splitext(name)
            unique = f"{stem}_{number}{suffix}"
        result[unique] = data
    return result
