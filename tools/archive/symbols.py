"""The global symbols that an object file defines: what an archive's index lists."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator

import lief

from tools.cli import UserError

# <elf.h>
_SHN_UNDEF = 0
_SHN_COMMON = 0xFFF2

# <mach-o/nlist.h>
_N_STAB = 0xE0
_N_TYPE = 0x0E
_N_EXT = 0x01
_N_UNDF = 0x00
_N_WEAK_DEF = 0x80

_FORMATS = {"elf": "ELF", "macho": "Mach-O"}


@dataclasses.dataclass(frozen=True)
class Symbol:
    """A defined global symbol; several objects may define a weak (or common) one."""

    name: str
    weak: bool


def defined_symbols(data: bytes, object_format: str, where: str) -> list[Symbol]:
    """Returns the global symbols that the object ``data`` defines, in the order of its table.

    Args:
        data: A relocatable object file.
        object_format: ``elf`` or ``macho``.
        where: What errors call the object.

    Raises:
        UserError: ``data`` is not an object of that format.
    """
    lief.logging.disable()
    if object_format == "elf" and data[:4] == b"\x7fELF":
        parsed = lief.ELF.parse(io.BytesIO(data))
        if isinstance(parsed, lief.ELF.Binary):
            return list(_elf(parsed))
    if object_format == "macho" and data[:4] == b"\xcf\xfa\xed\xfe":
        parsed = lief.MachO.parse(io.BytesIO(data))
        if isinstance(parsed, lief.MachO.FatBinary) and parsed.size == 1:
            return list(_macho(parsed.at(0)))
    raise UserError(
        f"{where}: is not a 64-bit {_FORMATS[object_format]} object; "
        "was the library compiled for another device?"
    )


def _elf(parsed: lief.ELF.Binary) -> Iterator[Symbol]:
    bindings = lief.ELF.Symbol.BINDING
    for symbol in parsed.symtab_symbols:
        if symbol.binding != bindings.LOCAL and symbol.shndx != _SHN_UNDEF:
            weak = symbol.binding == bindings.WEAK or symbol.shndx == _SHN_COMMON
            yield Symbol(str(symbol.name), weak)


def _macho(parsed: lief.MachO.Binary) -> Iterator[Symbol]:
    for symbol in parsed.symbols:
        kind = symbol.raw_type
        if kind & _N_STAB or not kind & _N_EXT:
            continue
        # An undefined symbol with a value is a common block of that size.
        common = kind & _N_TYPE == _N_UNDF and symbol.value > 0
        if common or kind & _N_TYPE != _N_UNDF:
            weak = common or bool(symbol.description & _N_WEAK_DEF)
            yield Symbol(str(symbol.name), weak)
