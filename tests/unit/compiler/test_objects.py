"""Libraries for other machines are objects that those machines' linkers take."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lief
import pytest

from tests.unit.compiler import wasm_object
from tests.unit.compiler.pairs import TWICE
from tools import config
from tools.compiler.families import FAMILIES
from tools.compiler.functions.samplers import ALL, SAMPLERS_OF_TARGET

ABI = Path(__file__).parents[2] / "data/abi"
# What upstream's library of a family has for android, of those in tests/data/abi that say it.
UPSTREAM = {
    found["model_type"]: set(found["library_functions"])
    for found in (json.loads(path.read_text()) for path in ABI.glob("small_*.json"))
}
FUNCTIONS = {
    "alloc_embedding_tensor",
    "batch_decode",
    "batch_prefill",
    "batch_verify",
    "create_tir_paged_kv_cache",
    "decode",
    "embed",
    "prefill",
    "softmax_with_temperature",
}
SYMBOL = "small___tvm_ffi__library_bin"
# Sine and cosine at a time have a function of their own on Apple's systems.
RUNTIME = re.compile(
    r"(TVMFFI|TVMBackend)\w+"
    r"|ceilf|sinf|cosf|__sincosf_stret|expf|exp2f|log2f?|powf|mem\w+|bzero"
)
# What a linker for WebAssembly defines itself.
WASM_LINKER = {"__indirect_function_table", "__memory_base", "__stack_pointer", "__table_base"}
DEVICE_CODE = {
    "cuda": b'extern "C" __global__ void',
    "metal": b"#include <metal_stdlib>",
    "opencl": b"__kernel void",
    "webgpu": b"@compute @workgroup_size",
}
APPLE = {
    "cpu:arm64-macos": ("MACOS", [11, 0, 0]),
    "iphone": ("IOS", [16, 0, 0]),
    "macabi": ("MAC_CATALYST", [18, 0, 0]),
    "macabi:x86_64": ("MAC_CATALYST", [18, 0, 0]),
    "metal": ("MACOS", [11, 0, 0]),
}
"""Device to the platform and the minimum system that its objects name."""


def check_functions(metadata: dict[str, Any], model_type: str, device: str) -> None:
    """Checks which functions a library has, by its ``_metadata``.

    Those of hidden states are there where the family has them, those that sample on the devices on
    which upstream's libraries have them.
    """
    assert metadata["model_type"] == model_type
    names = set(metadata["memory_usage"])
    assert names >= FUNCTIONS
    assert ("get_logits" in names) == FAMILIES[model_type].model.exports_hidden_states
    samplers = set(SAMPLERS_OF_TARGET.get(config.device(device).target["kind"], ()))
    assert names.intersection(ALL) == samplers
    assert names - samplers == UPSTREAM.get(model_type, names - samplers)


def each(
    select: Callable[[config.Device], bool] = lambda _device: True,
) -> pytest.MarkDecorator:
    """Returns what runs a test for each of `TWICE` whose device is selected."""
    chosen = [pair for pair in TWICE if select(config.device(pair[1]))]
    return pytest.mark.parametrize("pair", chosen, ids="-".join)


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


@each()
def test_functions(compiled, pair):
    """The functions of upstream's libraries are there, and no others."""
    check_functions(compiled(*pair).metadata["metadata"], *pair)


@each()
def test_symbols(compiled, pair):
    """The library's data is there; what could clash with another library's has the prefix, but
    for WebAssembly, where a program has one; what is missing is the runtime's or C's."""
    is_wasm = config.device(pair[1]).object == "wasm"
    strong, weak, undefined = set(), set(), set()
    for contents in compiled(*pair).contents():
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


@each(lambda device: device.object == "elf")
def test_elf(compiled, pair):
    """Relocatable ELF objects of the device's architecture."""
    machine = lief.ELF.ARCH.X86_64 if "x86_64" in pair[1] else lief.ELF.ARCH.AARCH64
    for binary in compiled(*pair).objects():
        assert binary.header.file_type == lief.ELF.Header.FILE_TYPE.REL
        assert binary.header.machine_type == machine


@each(lambda device: device.object == "macho")
def test_mach_o(compiled, pair):
    """Objects that say which system they are for, as Xcode's linker demands."""
    platform, minimum = APPLE[pair[1]]
    architecture = lief.MachO.Header.CPU_TYPE
    for binary in compiled(*pair).objects():
        expected = architecture.X86_64 if "x86_64" in pair[1] else architecture.ARM64
        assert binary.header.cpu_type == expected
        (version,) = [c for c in binary.commands if isinstance(c, lief.MachO.BuildVersion)]
        assert str(version.platform).endswith(platform)
        assert list(version.minos) == minimum


@each()
def test_archive_has_nothing_of_the_machine(compiled, pair):
    """Fixed names, times and owners; no path."""
    library = compiled(*pair)
    members = library.members()
    assert [member.name for member in members] == ["devc.o", "lib0.o"]
    assert {(m.mtime, m.uid, m.gid, m.uname, m.gname, m.mode) for m in members} == {
        (0, 0, 0, "", "", 0o644)
    }
    assert tempfile.gettempdir().encode() not in library.archive
    assert b"site-packages" not in library.archive


@each()
def test_cuda_graphs(compiled, pair):
    """CUDA's decoding is captured, and its memory allocated in advance; no other device has any."""
    archive = compiled(*pair).archive
    for name in (b"cuda_graph_alloc_init", b"batch_decode_cuda_graph_capture"):
        assert (name in archive) == pair[1].startswith("cuda:"), name


@each(lambda device: device.target["kind"] != "llvm")
def test_device_code_is_source(compiled, pair):
    """The library carries what its metadata says: source that the device's driver compiles."""
    library = compiled(*pair)
    assert library.metadata["library"]["device_code"].endswith("-source")
    assert DEVICE_CODE[config.device(pair[1]).target["kind"]] in library.archive


@each(lambda device: device.target["kind"] == "opencl")
def test_kernels_are_named_once(compiled, pair):
    """A kernel's source has that kernel alone, not the declarations of all others."""
    names = re.findall(rb"__kernel void (\w+)\(", compiled(*pair).archive)
    assert len(names) > 30
    assert len(names) == len(set(names))
