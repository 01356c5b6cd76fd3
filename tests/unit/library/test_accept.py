"""A library from elsewhere is accepted whatever it came in, or refused for a reason in one line."""

from __future__ import annotations

import json

import pytest

from tests.objects import STRONG, elf_object, macho_object
from tests.unit.library.conftest import SUFFIX
from tools.archive import ar_elf, ar_macho
from tools.archive.ar_format import Member
from tools.cli import UserError
from tools.config import load_key, registry
from tools.library import ar_reader
from tools.library.accept import accept
from tools.library.memory import memory_figures

CODE = elf_object({"helper": STRONG})


def test_what_is_known_of_it(workshop, members):
    data = workshop.object()
    found = workshop.run(workshop.tar("lib.tar", lib0=CODE, devc=data), "--tvm", "0.27.0")
    assert found["library"] == {
        "format": "tar",
        "object": "elf",
        "symbol": "phi___tvm_ffi__library_bin",
        "device_code": "opencl-source",
    }
    assert found["metadata"]["params"][1]["name"] == "norm"
    # 10 x 8 uint32 and 8 float16; K and V of 100 tokens in 3 layers, 2 heads, 5 float16 each.
    assert found["memory"] == {
        "parameter_bytes": 336,
        "temporary_bytes": 700,
        "kv_cache_bytes": 12000,
        "total_bytes": 13036,
    }
    assert found["versions"] == {"tvm": "0.27.0"}
    assert members("out.tar") == {"devc.o": data, "lib0.o": CODE}
    key = load_key("key.json", any_model=True)
    assert (key.model_lib, key.device, key.quantization) == ("phi", "android", "q4f16_1")


def test_families_that_only_another_compiler_knows(workshop):
    metadata = {"model_type": "rwkv6", "quantization": "q4f16_autoawq"}
    (workshop.folder / "config.json").write_text(json.dumps({**metadata, "vocab_size": 10}))
    figures = {"params": [], "memory_usage": {"decode": 5}, "kv_state_kind": "rnn_state"}
    library = workshop.write("a.o", workshop.object(metadata={**metadata, **figures}))
    assert workshop.run(library)["memory"]["total_bytes"] == 5
    assert load_key("key.json", any_model=True).model_type == "rwkv6"


@pytest.mark.parametrize("device", ["android", "iphone"])
def test_containers(workshop, members, device):
    data = workshop.object(device)
    make, archive = elf_object, ar_elf.archive
    if device == "iphone":
        make, archive = macho_object, ar_macho.archive
    code = make({"helper": STRONG}, b"13 bytes more")
    long_name = "a_name_longer_than_16_bytes.o"
    library = workshop.write("x.a", archive([Member(long_name, data, ()), Member("c.o", code, ())]))
    workshop.run(library, device=device)
    found = members("out.tar")
    assert found.keys() == {long_name, "c.o"}
    assert found[long_name].startswith(data)
    assert found["c.o"].startswith(code)
    workshop.run(workshop.write("x.o", data), device=device)
    assert members("out.tar") == {"x.o": data}
    workshop.run(workshop.tar("x.tar", x=data), device=device)
    assert members("out.tar") == {"x.o": data}


def test_same_bytes_whatever_it_came_in(workshop):
    data = workshop.object()
    written = []
    for library in (workshop.tar("x.tar", x=data), workshop.write("x.o", data)):
        workshop.run(library)
        written.append((workshop.folder / "out.tar").read_bytes())
    assert written[0] == written[1]


def test_members_of_one_name(workshop, members):
    archive = ar_elf.archive([Member("x.o", workshop.object(), ()), Member("x.o", CODE, ())])
    workshop.run(workshop.write("lib.a", archive))
    assert sorted(members("out.tar")) == ["x.o", "x_2.o"]


@pytest.mark.parametrize(
    ("symbol", "line"),
    [
        (
            "phi___tvm_dev_mblob",
            "made by an older TVM: it defines phi___tvm_dev_mblob, and the runtime looks for "
            "phi___tvm_ffi__library_bin; compile it again with the runtime's TVM",
        ),
        (
            "phi-2___tvm_ffi_library_bin",
            "made by an older TVM: it defines phi-2___tvm_ffi_library_bin, and the runtime looks "
            "for phi___tvm_ffi__library_bin; compile it again with the runtime's TVM",
        ),
        (
            "__tvm_ffi__library_bin",
            "defines __tvm_ffi__library_bin, and the runtime looks for phi___tvm_ffi__library_bin; "
            "compile it with --system-lib-prefix phi_",
        ),
        (
            "llama___tvm_ffi__library_bin",
            "does not define phi___tvm_ffi__library_bin, but llama___tvm_ffi__library_bin; set "
            'model_lib to "llama", or compile it with --system-lib-prefix phi_',
        ),
        (
            "main",
            "does not define phi___tvm_ffi__library_bin, nor is it a library of any TVM",
        ),
    ],
)
def test_symbols(workshop, symbol, line):
    assert workshop.error(workshop.write("x.o", workshop.object(symbol=symbol))) == (
        f"//a:b: x.o: {line}"
    )


def test_newer_tvm(workshop):
    error = workshop.error(
        workshop.write("x.o", workshop.object()), "--symbol-suffix", "__tvm_ffi_library_bin"
    )
    assert error.startswith(
        "//a:b: x.o: made by a newer TVM: it defines phi___tvm_ffi__library_bin"
    )


def _patched(data: bytes, offset: int, value: int) -> bytes:
    return data[:offset] + bytes([value]) + data[offset + 1 :]


@pytest.mark.parametrize(
    ("device", "change", "line"),
    [
        (
            "iphone",
            lambda shop: shop.object("android"),
            "is ELF, and device iphone takes Mach-O; compile it for iphone",
        ),
        (
            "android",
            lambda shop: _patched(shop.object(), 18, 62),
            "is for x86_64, and device android runs aarch64; compile it for android",
        ),
        (
            "android",
            lambda shop: _patched(shop.object(), 16, 3),
            "is a shared library, and device android takes objects (.tar, .a or .o)",
        ),
        (
            "cpu:aarch64-linux",
            lambda shop: shop.object(symbol="__tvm_ffi__library_bin"),
            "is an object, and device cpu:aarch64-linux takes a shared library (.so)",
        ),
        (
            "iphone",
            lambda shop: shop.object("iphone", platform=7),
            "is for the platform ios-simulator, and device iphone is ios; compile it for iphone",
        ),
        (
            "android",
            lambda shop: shop.object(kernels={"vulkan": "spv"}),
            "has kernels for vulkan, and device android takes kernels for opencl; "
            "compile it for android",
        ),
        (
            "android",
            lambda shop: shop.object(metadata=None),
            "has no metadata; expected a library made by `mlc_llm compile`",
        ),
        (
            "android",
            lambda shop: shop.object(metadata={"model_type": "llama", "quantization": "q4f16_1"}),
            "its metadata has no figures of memory; compile it with a newer mlc_llm",
        ),
        ("android", lambda shop: b"", "x: is empty; compile the library again"),
        (
            "android",
            lambda shop: b"BC\xc0\xde",
            "is neither an ELF nor a Mach-O file; expected a compiled library",
        ),
        (
            "android",
            lambda shop: shop.object()[:-80],
            "is cut off; compile the library again",
        ),
        (
            "iphone",
            lambda shop: shop.object("iphone")[:-80],
            "is cut off; compile the library again",
        ),
        (
            "android",
            lambda shop: _patched(shop.object(), 16, 2),
            "is neither an object nor a shared library",
        ),
        (
            "iphone",
            lambda shop: b"\xca\xfe\xba\xbe" + bytes(40),
            "is a universal file; take one part of it: lipo -thin arm64 ...",
        ),
        (
            "android",
            lambda shop: b"!<thin>\n",
            "is a thin archive, without the objects; make it with `ar rcs`",
        ),
        (
            "android",
            lambda shop: ar_elf.archive([Member("a.o", shop.object(), ())])[:300],
            "is not a complete archive; make it again",
        ),
        ("android", lambda shop: b"!<arch>\n", "holds no object; compile the library again"),
        (
            "android",
            lambda shop: b"\x1f\x8b" + bytes(9),
            "is not a complete .tar; compile the library again",
        ),
    ],
)
def test_files_that_the_device_cannot_load(workshop, device, change, line):
    error = workshop.error(workshop.write("x", change(workshop)), device=device)
    assert error.removeprefix("//a:b: ").removeprefix("x: ") == line.removeprefix("x: ")


@pytest.mark.parametrize("device", ["android", "iphone"])
def test_damaged_objects(workshop, device):
    """Whatever byte is changed, the library is accepted or refused in one line."""
    data = workshop.object(device)
    for position, byte in enumerate(data):
        for value in (0x00, 0xFF, byte ^ 0x5A):
            damaged = data[:position] + bytes([value]) + data[position + 1 :]
            try:
                found = accept({"a.o": damaged}, registry.device(device), "phi", SUFFIX, "a.o")
                memory_figures(found.metadata, 10, "a.o")
            except UserError as error:
                assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize("archive", [ar_elf.archive, ar_macho.archive])
def test_damaged_archives(archive):
    members = [Member("a_name_longer_than_16_bytes.o", b"13 bytes long", ()), Member("b", b"", ())]
    data = archive(members)
    for position in range(len(data)):
        for value in range(0x0F, 0x100, 7):
            try:
                ar_reader.members(data[:position] + bytes([value]) + data[position + 1 :], "a.a")
            except UserError as error:
                assert len(str(error).splitlines()) == 1


def test_data_that_was_cut_off(workshop):
    data = workshop.object().replace(b"relax.VMExecutable", b"relax.VMExecutabl\xff", 1)
    assert "its data is damaged" in workshop.error(workshop.write("x.o", data))


def test_several_libraries_in_one_archive(workshop):
    objects = [workshop.object(), workshop.object(symbol="other___tvm_ffi__library_bin")]
    library = workshop.tar("lib.tar", one=objects[0], two=objects[1])
    assert workshop.error(library) == (
        "//a:b: lib.tar: holds several libraries (other___tvm_ffi__library_bin, "
        "phi___tvm_ffi__library_bin); give each model its own"
    )


def test_library_of_another_model(workshop):
    library = workshop.write("x.o", workshop.object())
    workshop.write("config.json", b'{"model_type": "phi", "quantization": "q4f16_1"}')
    assert workshop.error(library) == (
        "//a:b: x.o: was compiled for model_type llama, and config.json says phi; "
        "use the config and the library of one model"
    )


def test_settings_that_the_library_does_not_have(workshop):
    library = workshop.write("x.o", workshop.object())
    same = '{"context_window_size": 100, "sliding_window_size": -1, "opt": "O3"}'
    workshop.run(library, "--overrides", same)
    for name in ("out.tar", "key.json", "out.json", "log"):
        (workshop.folder / name).unlink()
    assert workshop.error(library, "--overrides", '{"context_window_size": 4096}') == (
        "//a:b: x.o: was compiled with context_window_size 100, and overrides.context_window_size "
        "is 4096; remove the override, or compile the library again"
    )
