"""The GNU dialect of ``ar``, for ELF objects: the linkers of Android and Linux read it.

The index is a first member ``/``: the number of symbols and the offset of each one's member
header, 32-bit big-endian, then the names. A member's name that does not fit into its header
stands in a second member ``//``, and the header holds ``/`` and the offset there.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tools.archive.ar_format import HEADER_SIZE, MAGIC, Member, check_size, header

_LONGEST_SHORT_NAME = 15  # a "/" ends it


def archive(members: Sequence[Member]) -> bytes:
    """Returns an archive of the members in the given order; equal members give equal bytes.

    Raises:
        UserError: The archive would exceed 4 GiB.
    """
    names, headers = _names(members)
    index_size = 4 * (1 + _symbol_count(members)) + sum(
        len(symbol.encode()) + 1 for member in members for symbol in member.symbols
    )
    start = len(MAGIC) + HEADER_SIZE + _even(index_size)
    if names:
        start += HEADER_SIZE + _even(len(names))
    offsets = []
    for member in members:
        offsets.append(start)
        start += HEADER_SIZE + _even(len(member.data))
    check_size(start)
    parts = [MAGIC, _member(header("/", index_size, mode=0), _index(members, offsets), b"\0")]
    if names:
        parts.append(_member(b"%-48s%-10d`\n" % (b"//", len(names)), names, b"\n"))
    for head, member in zip(headers, members, strict=True):
        parts.append(_member(head, member.data, b"\n"))
    return b"".join(parts)


def _names(members: Sequence[Member]) -> tuple[bytes, list[bytes]]:
    """Returns the contents of ``//``, and each member's header."""
    names = b""
    headers = []
    for member in members:
        name = member.name.encode()
        if len(name) <= _LONGEST_SHORT_NAME and name.isascii():
            field = f"{member.name}/"
        else:
            field = f"/{len(names)}"
            names += name + b"/\n"
        headers.append(header(field, len(member.data)))
    return names, headers


def _index(members: Sequence[Member], offsets: Sequence[int]) -> bytes:
    entries = [
        (offset, symbol)
        for member, offset in zip(members, offsets, strict=True)
        for symbol in member.symbols
    ]
    numbers = [len(entries), *(offset for offset, _ in entries)]
    strings = b"".join(symbol.encode() + b"\0" for _, symbol in entries)
    return struct.pack(f">{len(numbers)}I", *numbers) + strings


def _symbol_count(members: Sequence[Member]) -> int:
    return sum(len(member.symbols) for member in members)


def _member(head: bytes, data: bytes, padding: bytes) -> bytes:
    return head + data + padding * (len(data) % 2)


def _even(size: int) -> int:
    return size + size % 2
