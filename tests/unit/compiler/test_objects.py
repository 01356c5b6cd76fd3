"""Libraries for other machines are objects that those machines' linkers take."""

from __future__ import annotations

import re
import tempfile

import lief
import pytest

from tests.unit.compiler import wasm_object
from tools import config
from tools.compiler.functions.samplers import ALL, SAMPLERS_OF_TARGET

DEVICES = config.devices()
SYMBOL = "small___tvm_ffi__library_bin"
RUNTIME = re.compile(r"(TVMFFI|TVMBackend)\w+|ceilf|sinf|cosf|expf|exp2f|log2f?|powf|mem\w+|bzero")
# What a linker for WebAssembly defines itself.
WASM_LINKER = {"__indirect_function_table", "__memory_base", "__stack_pointer", "__table_base"}
DEVICE_CODE = {
    "cuda": b'extern "C" __global__ void',
    "metal": b"#include <metal_stdlib>",
    "opencl": b"__kernel void",
    "webgpu": b"@compute @workgroup_size",
}


def of_format(name: str) -> list[str]:
    """Returns the devices whose objects have the format."""
    return [device for device in DEVICES if config.device(device).object == name]


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
    """The library's data is there; what could clash with another library's has the prefix, but
    for WebAssembly, where a program has one; what is missing is the runtime's or C's."""
    is_wasm = config.device(device).object == "wasm"
    strong, weak, undefined = set(), set(), set()
    for contents in compiled(device).contents():
        found = wasm_object.symbols(contents) if is_wasm else symbols(lief.parse(contents))
        for names, more in zip((strong, weak, undefined), found, strict=True):
            names |= more
    assert (SYMBOL.removeprefix("small_") if is_wasm else SYMBOL) in strong
    missing = undefined - strong - weak
    if is_wasm:
        missing -= WASM_LINKER
    else:
        assert not [name for name in strong if not re.match(r"(__tvm_ffi_)?small_", name)]
    assert not [name for name in missing if not RUNTIME.fullmatch(name)]


@pytest.mark.parametrize("device", of_format("elf"))
def test_elf(compiled, device):
    """Relocatable ELF objects of the device's architecture."""
    machine = lief.ELF.ARCH.X86_64 if "x86_64" in device else lief.ELF.ARCH.AARCH64
    for binary in compiled(device).objects():
        assert binary.header.file_type == lief.ELF.Header.FILE_TYPE.REL
        assert binary.header.machine_type == machine


@pytest.mark.parametrize(
    ("device", "platform", "minimum"),
    [
        ("cpu:arm64-macos", "MACOS", [11, 0, 0]),
        ("iphone", "IOS", [16, 0, 0]),
        ("macabi", "MAC_CATALYST", [18, 0, 0]),
        ("macabi:x86_64", "MAC_CATALYST", [18, 0, 0]),
        ("metal", "MACOS", [11, 0, 0]),
    ],
)
def test_mach_o(compiled, device, platform, minimum):
    """Objects that say which system they are for, as Xcode's linker demands."""
    architecture = lief.MachO.Header.CPU_TYPE
    for binary in compiled(device).objects():
        expected = architecture.X86_64 if "x86_64" in device else architecture.ARM64
        assert binary.header.cpu_type == expected
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


@pytest.mark.parametrize("device", DEVICES)
def test_samplers(compiled, device):
    """A library samples on the devices on which upstream's does."""
    kind = config.device(device).target["kind"]
    found = set(compiled(device).metadata["metadata"]["memory_usage"]).intersection(ALL)
    assert found == set(SAMPLERS_OF_TARGET.get(kind, ()))


@pytest.mark.parametrize("device", DEVICES)
def test_cuda_graphs(compiled, device):
    """CUDA's decoding is captured, and its memory allocated in advance; no other device has any."""
    archive = compiled(device).archive
    for name in (b"cuda_graph_alloc_init", b"batch_decode_cuda_graph_capture"):
        assert (name in archive) == device.startswith("cuda:"), name


@pytest.mark.parametrize(
    "device", [name for name in DEVICES if config.device(name).target["kind"] != "llvm"]
)
def test_device_code_is_source(compiled, device):
    """The library carries what its metadata says: source that the device's driver compiles."""
    library = compiled(device)
    assert library.metadata["library"]["device_code"].endswith("-source")
    assert DEVICE_CODE[config.device(device).target["kind"]] in library.archive


@pytest.mark.parametrize(
    "device", [name for name in DEVICES if config.device(name).target["kind"] == "opencl"]
)
def test_kernels_are_named_once(compiled, device):
    """A kernel's source has that kernel alone, not the declarations of all others."""
    names = re.findall(rb"__kernel void (\w+)\(", compiled(device).archive)
    assert len(names) > 30
    assert len(names) == len(set(names))
