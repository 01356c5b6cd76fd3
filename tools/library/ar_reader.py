"""The members of a static archive, in the dialects of GNU, BSD and Darwin."""

from __future__ import annotations

from tools.archive.ar_format import HEADER_SIZE, MAGIC
from tools.cli import UserError

_THIN_MAGIC = b"!<thin>\n"

# Symbol indexes, 32-bit and 64-bit; never the name of an object.
_INDEXES = ("/", "/SYM64/", "__.SYMDEF", "__.SYMDEF SORTED", "__.SYMDEF_64", "__.SYMDEF_64 SORTED")


def is_archive(data: bytes) -> bool:
    """Returns whether ``data`` begins as an archive does."""
    return data.startswith((MAGIC, _THIN_MAGIC))


def members(data: bytes, where: str) -> list[tuple[str, bytes]]:
    """Returns name and contents of each object, in the archive's order; names may repeat.

    Raises:
        UserError: ``where`` is cut off, damaged, or names files instead of holding them.
    """
    if data.startswith(_THIN_MAGIC):
        raise UserError(f"{where}: is a thin archive, without the objects; make it with `ar rcs`")
    result, long_names, position = [], b"", len(MAGIC)
    while position < len(data):
        header = data[position : position + HEADER_SIZE]
        size = header[48:58].strip()
        start = position + HEADER_SIZE
        if header[58:60] != b"`\n" or not size.isdigit() or start + int(size) > len(data):
            raise UserError(f"{where}: is not a complete archive; make it again")
        body = data[start : start + int(size)]
        name = header[:16].decode("latin-1").rstrip()
        if name == "//":
            long_names = body
        else:
            name, body = _named(name, body, long_names)
            if name not in _INDEXES:
                result.append((name, body))
        position = start + int(size) + int(size) % 2
    return result


def _named(name: str, body: bytes, long_names: bytes) -> tuple[str, bytes]:
    """Returns the member's full name, and its contents without it."""
    if name.startswith("#1/") and name[3:].isdecimal():
        length = int(name[3:])
        return body[:length].rstrip(b"\0").decode("latin-1"), body[length:]
    if name.startswith("/") and name[1:].isdecimal():
        return long_names[int(name[1:]) :].split(b"/\n")[0].decode("latin-1"), body
    return name if name in _INDEXES else name.removesuffix("/"), body
