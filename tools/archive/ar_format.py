"""What the two dialects of ``ar`` archives share: the magic and the 60-byte member header."""

from __future__ import annotations

import dataclasses

from tools.cli import UserError

MAGIC = b"!<arch>\n"
HEADER_SIZE = 60

_LARGEST = 2**32 - 1


@dataclasses.dataclass(frozen=True)
class Member:
    """An object file of an archive.

    Attributes:
        name: The member's name, without a directory.
        data: The object file.
        symbols: The global symbols that it defines, for the archive's index.
    """

    name: str
    data: bytes
    symbols: tuple[str, ...]


def header(name: str, size: int, mode: int = 0o644) -> bytes:
    """Returns a member's header: no time, no owner, as ``ar`` writes it when deterministic.

    Args:
        name: At most 16 bytes of ASCII.
        size: Bytes of what follows, without the padding after it.
        mode: The file's permissions; 0 for an index.
    """
    fields = (name.encode("ascii"), 0, 0, 0, b"%o" % mode, size)
    return b"%-16s%-12d%-6d%-6d%-8s%-10d`\n" % fields


def check_size(size: int) -> None:
    """Raises a UserError where an archive is too large for the 32-bit offsets of its index."""
    if size > _LARGEST:
        raise UserError(
            f"the archive would have {size} bytes, and its symbol index can hold {_LARGEST}; "
            "package fewer libraries"
        )
