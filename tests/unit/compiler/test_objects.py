"""Libraries for other machines are objects that those machines' linkers take."""

from __future__ import annotations

import re
import tempfile

import lief
import pytest

DEVICES = ["android", "iphone", "cpu:x86_64-linux", "cpu:aarch64-linux", "cpu:arm64-macos"]
SYMBOL = "small___tvm_ffi__library_bin"
RUNTIME = re.compile(r"(TVMFFI|TVMBackend)\w+|sinf|cosf|expf|exp2f|log2f|powf|mem\w+|bzero")


def symbols(binary) -> tuple[set[str], set[str], set[str]]:
    """Returns the global symbols: strong ones, weak ones, undefined ones; without ``_`` of C."""
    strong, weak, undefined = set(), set(), set()
    for symbol in binary.symbols:
        if isinstance(binary, lief.MachO.Binary):
            if not symbol.raw_type & 1:
                continue
            is_defined, name = bool(symbol.raw_type & 0x0E), symbol.name.removeprefix("_")
            is_weak = bool(symbol.description & 0x80)
        else:
            if symbol.binding == lief.ELF.Symbol.BINDING.LOCAL or not symbol.name:
                continue
            is_defined, name = symbol.shndx != 0, symbol.name
            is_weak = symbol.binding == lief.ELF.Symbol.BINDING.WEAK
        (undefined if not is_defined else weak if is_weak else strong).add(name)
    return strong, weak, undefined


@pytest.mark.parametrize("device", DEVICES)
def test_symbols(compiled, device):
    """The library's data is there; what could clash with another library's has the prefix; what
    is missing is the runtime's or C's."""
    strong, weak, undefined = set(), set(), set()
    for binary in compiled(device).objects():
        for names, more in zip((strong, weak, undefined), symbols(binary), strict=True):
            names |= more
    assert SYMBOL in strong
    assert not [name for name in strong if not re.match(r"(__tvm_ffi_)?small_", name)]
    assert not [name for name in undefined - strong - weak if not RUNTIME.fullmatch(name)]


@pytest.mark.parametrize("device", ["android", "cpu:aarch64-linux", "cpu:x86_64-linux"])
def test_elf(compiled, device):
    """Relocatable ELF objects of the device's architecture."""
    machine = lief.ELF.ARCH.X86_64 if "x86_64" in device else lief.ELF.ARCH.AARCH64
    for binary in compiled(device).objects():
        assert binary.header.file_type == lief.ELF.Header.FILE_TYPE.REL
        assert binary.header.machine_type == machine


@pytest.mark.parametrize(
    ("device", "platform", "minimum"),
    [("iphone", "IOS", [16, 0, 0]), ("cpu:arm64-macos", "MACOS", [11, 0, 0])],
)
def test_mach_o(compiled, device, platform, minimum):
    """arm64 objects that say which system they are for, as Xcode's linker demands."""
    for binary in compiled(device).objects():
        assert binary.header.cpu_type == lief.MachO.Header.CPU_TYPE.ARM64
        (version,) = [c for c in binary.commands if isinstance(c, lief.MachO.BuildVersion)]
        assert str(version.platform).endswith(platform)
        assert list(version.minos) == minimum


@pytest.mark.parametrize("device", DEVICES)
def test_archive_has_nothing_of_the_machine(compiled, device):
    """Fixed names, times and owners; no path."""
    library = compiled(device)
    members = library.members()
    assert [member.name for member in members] == ["devc.o", "lib0.o"]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {
        (0, 0, 0, "", "", 0o644)
    }
    assert tempfile.gettempdir().encode() not in library.archive
    assert b"site-packages" not in library.archive


@pytest.mark.parametrize(
    ("device", "text"),
    [("android", b"__kernel void"), ("iphone", b"#include <metal_stdlib>")],
)
def test_device_code_is_source(compiled, device, text):
    """The library carries what its metadata says: source that the device's driver compiles."""
    library = compiled(device)
    assert library.metadata["library"]["device_code"].endswith("-source")
    assert text in library.archive
