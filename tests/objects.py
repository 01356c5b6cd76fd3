"""Object files and libraries made by hand, for tests of what reads them."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

# Symbol kinds of the objects made here.
STRONG, WEAK, LOCAL, UNDEFINED = "strong", "weak", "local", "undefined"


def elf_object(symbols: Mapping[str, str], text: bytes = b"\x00" * 8) -> bytes:
    """Returns an ELF64 aarch64 relocatable object with these symbols, local ones first.

    All symbols are at the beginning of ``text``, the contents of its one section of code.
    """
    strings, rows = b"\0", [struct.pack("<IBBHQQ", 0, 0, 0, 0, 0, 0)]
    order = sorted(symbols, key=lambda name: symbols[name] != LOCAL)
    binding = {STRONG: 1, WEAK: 2, LOCAL: 0, UNDEFINED: 1}
    for name in order:
        kind = symbols[name]
        section = 0 if kind == UNDEFINED else 1
        info = binding[kind] << 4 | 1
        rows.append(struct.pack("<IBBHQQ", len(strings), info, 0, section, 0, 8))
        strings += name.encode() + b"\0"
    first_global = 1 + sum(kind == LOCAL for kind in symbols.values())
    section_names = b"\0.text\0.symtab\0.strtab\0.shstrtab\0"
    blobs = [text, b"".join(rows), strings, section_names]
    offsets, position = [], 64
    for blob in blobs:
        offsets.append(position)
        position += len(blob) + -len(blob) % 8
    headers = [struct.pack("<IIQQQQIIQQ", *[0] * 10)]
    for index, (name, kind, flags, link, info, entry) in enumerate(
        [
            (1, 1, 6, 0, 0, 0),
            (7, 2, 0, 3, first_global, 24),
            (15, 3, 0, 0, 0, 0),
            (23, 3, 0, 0, 0, 0),
        ]
    ):
        headers.append(
            struct.pack(
                "<IIQQQQIIQQ",
                *(name, kind, flags, 0, offsets[index], len(blobs[index]), link, info, 8, entry),
            )
        )
    ident = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    head = ident + struct.pack("<HHIQQQIHHHHHH", 1, 183, 1, 0, 0, position, 0, 64, 0, 0, 64, 5, 4)
    padded = b"".join(blob + b"\0" * (-len(blob) % 8) for blob in blobs)
    return head + padded + b"".join(headers)


def macho_object(
    symbols: Mapping[str, str], text: bytes = b"\x00" * 8, platform: int | None = None
) -> bytes:
    """Returns a Mach-O arm64 relocatable object with these symbols.

    Args:
        symbols: Name to kind; all at the beginning of the text.
        text: What its one section holds.
        platform: The number in LC_BUILD_VERSION; None for an object without that command.
    """
    kinds = {STRONG: (0x0F, 1, 0), WEAK: (0x0F, 1, 0x80), LOCAL: (0x0E, 1, 0), UNDEFINED: (1, 0, 0)}
    strings, rows = b"\0", b""
    for name, kind in symbols.items():
        n_type, section, description = kinds[kind]
        rows += struct.pack("<IBBHQ", len(strings), n_type, section, description, 0)
        strings += name.encode() + b"\0"
    build = b"" if platform is None else struct.pack("<IIIIII", 0x32, 24, platform, 0, 0, 0)
    start = 32 + 152 + 24 + len(build)
    segment = struct.pack("<II16sQQQQIIII", 0x19, 152, b"", 0, 8, start, len(text), 7, 7, 1, 0)
    section = struct.pack(
        "<16s16sQQIIIIIIII", b"__text", b"__TEXT", 0, len(text), start, 3, 0, 0, 0, 0, 0, 0
    )
    table = start + len(text)
    symtab = struct.pack("<IIIIII", 2, 24, table, len(symbols), table + len(rows), len(strings))
    commands = segment + section + symtab + build
    header = struct.pack(
        "<IIIIIIII", 0xFEEDFACF, 0x0100000C, 0, 1, 2 + bool(build), len(commands), 0, 0
    )
    return header + commands + text + rows + strings


def _string(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + data


def library_bin(kernels: Mapping[str, str], metadata: Any) -> bytes:
    """Returns a library's data: byte code with the metadata, host code, and kernels."""
    bytecode = b"\x1e\x15\x14B/\xde%\xd2" + _string(b"0.14")
    if metadata is not None:
        bytecode += _string(json.dumps(metadata).encode())
    modules = _string(b"relax.VMExecutable") + _string(bytecode) + _string(b"_lib")
    for kind, form in kernels.items():
        modules += _string(kind.encode()) + _string(_string(form.encode()) + b"kernels")
    count = 3 + len(kernels)
    tree = struct.pack(f"<Q{count}Q", count, *range(count)) + struct.pack("<Q", 0)
    return struct.pack("<Q", len(tree + modules)) + tree + modules + b"after it"
