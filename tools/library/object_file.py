"""What an object or a shared library is: format, machine, platform, and TVM's data in it."""

from __future__ import annotations

import dataclasses
import io
import warnings

import lief

from tools.cli import UserError

# Names of a library's data in the versions of TVM, oldest first; a prefix may stand before each.
LIBRARY_BINS = ("__tvm_dev_mblob", "__tvm_ffi_library_bin", "__tvm_ffi__library_bin")

_UNIVERSAL = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")

# LIEF's names of the types of files, in both formats.
_SHARED = ("DYN", "DYLIB")
_RELOCATABLE = ("REL", "OBJECT")
_PLATFORMS = {
    "IOS": "ios",
    "IOS_SIMULATOR": "ios-simulator",
    "MACOS": "macosx",
    "MAC_CATALYST": "macabi",
    "VERSION_MIN_IPHONEOS": "ios",
    "VERSION_MIN_MACOSX": "macosx",
}


@dataclasses.dataclass(frozen=True)
class ObjectFile:
    """What a file says of itself.

    Attributes:
        format: ``elf`` or ``macho``.
        machine: ``aarch64``, ``x86_64``, or the format's own name of another one.
        platform: ``ios``, ``ios-simulator``, ``macabi``, ``macosx``, ``android`` or ``linux``; None
            where the file does not say it, which a relocatable object need not.
        shared: Whether it is a shared library; else it is relocatable.
        library_bins: The data of each library of TVM in it, by its symbol without Mach-O's leading
            underscore.
    """

    format: str
    machine: str
    platform: str | None
    shared: bool
    library_bins: dict[str, bytes]


def parse(data: bytes, where: str) -> ObjectFile:
    """Returns what the file ``data`` is.

    Raises:
        UserError: It is neither an ELF nor a Mach-O object or shared library.
    """
    lief.logging.disable()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LIEF's, of numbers in a header that have no meaning
        return _parse(data, where)


def _parse(data: bytes, where: str) -> ObjectFile:
    if data.startswith(_UNIVERSAL):
        raise UserError(f"{where}: is a universal file; take one part of it: lipo -thin arm64 ...")
    if data.startswith(b"\x7fELF"):
        parsed = lief.ELF.parse(io.BytesIO(data))
    elif data.startswith((b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe")):
        parsed = lief.MachO.parse(io.BytesIO(data))
        parsed = parsed.at(0) if parsed is not None else None
    else:
        raise UserError(
            f"{where}: is neither an ELF nor a Mach-O file; expected a compiled library"
        )
    kind = _name(parsed.header.file_type) if parsed is not None else None
    if kind not in (*_SHARED, *_RELOCATABLE):
        raise UserError(f"{where}: is neither an object nor a shared library")
    elf = isinstance(parsed, lief.ELF.Binary)
    if len(data) < (_elf_size(parsed) if elf else _macho_size(parsed)):
        raise UserError(f"{where}: is cut off; compile the library again")
    machine = _name(parsed.header.machine_type if elf else parsed.header.cpu_type).lower()
    return ObjectFile(
        format="elf" if elf else "macho",
        machine="aarch64" if machine == "arm64" else machine,
        platform=_elf_platform(parsed) if elf else _macho_platform(parsed),
        shared=kind in _SHARED,
        library_bins=_elf_library_bins(parsed) if elf else _macho_library_bins(parsed),
    )


def _name(value: object) -> str:
    """Returns the name of a field of a header; LIEF gives a number where it has no meaning."""
    return getattr(value, "name", f"number {value}")


def _elf_size(parsed: lief.ELF.Binary) -> int:
    header = parsed.header
    return header.section_header_offset + header.numberof_sections * header.section_header_size


def _macho_size(parsed: lief.MachO.Binary) -> int:
    symbols = parsed.symbol_command
    return symbols.strings_offset + symbols.strings_size if symbols is not None else 0


def _elf_platform(parsed: lief.ELF.Binary) -> str | None:
    if parsed.has_section(".note.android.ident"):
        return "android"
    return "linux" if any(name.endswith(".so.6") for name in parsed.libraries) else None


def _macho_platform(parsed: lief.MachO.Binary) -> str | None:
    if parsed.has_build_version:
        name = parsed.build_version.platform.name
    elif parsed.has_version_min:
        name = parsed.version_min.command.name
    else:
        return None
    return _PLATFORMS.get(name, name.lower())


def _elf_library_bins(parsed: lief.ELF.Binary) -> dict[str, bytes]:
    result = {}
    for symbol in parsed.symbols:
        name = str(symbol.name)
        # An undefined one is in section 0; numbers beyond the last mean none.
        if not name.endswith(LIBRARY_BINS) or not 0 < symbol.shndx < len(parsed.sections):
            continue
        section = parsed.sections[symbol.shndx]
        start = symbol.value - section.virtual_address
        result[name] = bytes(section.content)[start:]
    return result


def _macho_library_bins(parsed: lief.MachO.Binary) -> dict[str, bytes]:
    result = {}
    for symbol in parsed.symbols:
        name = str(symbol.name)
        if not name.endswith(LIBRARY_BINS):
            continue
        for section in parsed.sections:
            start = symbol.value - section.virtual_address
            if 0 <= start < section.size:
                result[name.removeprefix("_")] = bytes(section.content)[start:]
    return result
