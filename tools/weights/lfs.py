"""What a clone made without Git LFS has in the place of large files."""

from __future__ import annotations

from tools.cli import UserError

_BEGIN = b"version https://git-lfs."


def refuse_pointer(begin: bytes | bytearray, where: str) -> None:
    """Raises a UserError where a file is a pointer, a few lines of text that name the real one.

    Args:
        begin: The first bytes of the file, 24 or more if it has them.
        where: What the error calls the file.
    """
    if begin.startswith(_BEGIN):
        raise UserError(f"{where}: is a pointer of Git LFS, not the file; run git lfs pull")
