"""The Darwin dialect of ``ar``, for Mach-O objects: Apple's linkers read it.

The index is a first member ``__.SYMDEF``: the size of the pairs, the pairs of a name's offset and
a member's offset, the size of the names, the names; 32-bit little-endian. Names stand in front of
a member's data (``#1/<length>``). Every member begins and ends at a multiple of 8 bytes, which
Apple's linker expects of 64-bit objects, and the padding counts as data.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tools.archive.ar_format import HEADER_SIZE, MAGIC, Member, check_size, header

_ALIGNMENT = 8

# Not "__.SYMDEF SORTED", which promises names in order; linkers take either.
_INDEX_NAME = "__.SYMDEF"


def archive(members: Sequence[Member]) -> bytes:
    """Returns an archive of the members in the given order; equal members give equal bytes.

    Raises:
        UserError: The archive would exceed 4 GiB.
    """
    start = len(MAGIC) + _size(_INDEX_NAME, len(_index(members, [0] * len(members))))
    offsets = []
    for member in members:
        offsets.append(start)
        start += _size(member.name, len(member.data))
    check_size(start)
    parts = [MAGIC, _member(_INDEX_NAME, _index(members, offsets), 0)]
    parts += [_member(member.name, member.data, 0o644) for member in members]
    return b"".join(parts)


def _index(members: Sequence[Member], offsets: Sequence[int]) -> bytes:
    pairs = []
    names = b""
    for member, offset in zip(members, offsets, strict=True):
        for symbol in member.symbols:
            pairs += [len(names), offset]
            names += symbol.encode() + b"\0"
    names += b"\0" * _padding(len(names))
    return struct.pack(f"<I{len(pairs)}II", 4 * len(pairs), *pairs, len(names)) + names


def _member(name: str, data: bytes, mode: int) -> bytes:
    full_name = _full_name(name)
    body = data + b"\n" * _padding(len(data))
    return header(f"#1/{len(full_name)}", len(full_name) + len(body), mode) + full_name + body


def _size(name: str, data_size: int) -> int:
    return HEADER_SIZE + len(_full_name(name)) + data_size + _padding(data_size)


def _full_name(name: str) -> bytes:
    """Returns the name with the zero bytes, at least one, that align the data after it."""
    encoded = name.encode() + b"\0"
    return encoded + b"\0" * _padding(HEADER_SIZE + len(encoded))


def _padding(size: int) -> int:
    return -size % _ALIGNMENT
