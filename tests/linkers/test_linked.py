"""Objects become the files that runtimes of other systems load, the same in every run."""

from __future__ import annotations

import os
from pathlib import Path

import lief
import pytest

from tools import config
from tools.compiler.build import build_library
from tools.compiler.link import linked_bytes
from tools.compiler.progress import Progress

LINKERS = Path(os.environ["MLC_TEST_LINKER"]).absolute().parent
CHAT_CONFIG = {
    "model_type": "llama",
    "quantization": "q4f16_1",
    "model_config": {
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_attention_heads": 4,
        "num_hidden_layers": 1,
        "rms_norm_eps": 1e-5,
        "vocab_size": 100,
        "context_window_size": 128,
    },
}


def objects(device: str, *, system_library: bool) -> dict[str, bytes]:
    """Returns the objects of a small model's library."""
    key = config.build_key(CHAT_CONFIG, device, model_lib="small")
    return build_library(key, system_library=system_library, progress=Progress(False)).objects


def test_macos():
    """A signed dylib for the system that the objects name, which finds the runtime when loaded."""
    files = objects("metal", system_library=False)
    # Each call links in a new directory.
    contents, again = (linked_bytes(files, "dylib", LINKERS / "ld.macho") for _ in range(2))
    assert contents == again
    binary = lief.MachO.parse(list(contents)).at(0)
    assert binary.header.file_type == lief.MachO.Header.FILE_TYPE.DYLIB
    assert binary.header.cpu_type == lief.MachO.Header.CPU_TYPE.ARM64
    assert list(binary.build_version.minos) == [11, 0, 0]
    assert binary.has_code_signature
    assert [library.name for library in binary.libraries][1:] == ["/usr/lib/libSystem.B.dylib"]
    exported = {symbol.name for symbol in binary.exported_symbols}
    assert "___tvm_ffi__library_bin" in exported
    missing = {symbol.name for symbol in binary.imported_symbols}
    assert "_TVMFFIErrorSetRaisedFromCStrParts" in missing


@pytest.fixture
def wasm_linker(tmp_path) -> Path:
    """zig's linker for WebAssembly, in the place of emcc."""
    script = tmp_path / "wasm-ld"
    script.write_text(f'#!/bin/sh\nexec "{LINKERS / "zig"}" wasm-ld "$@"\n')
    script.chmod(0o755)
    return script


def test_web_assembly(wasm_linker, tmp_path):
    """One module that exports the model's data and what the given runtime exports."""
    files = objects("webgpu", system_library=True)
    # Any object will do for a runtime; this one defines a symbol of its own.
    runtime = tmp_path / "runtime.o"
    runtime.write_bytes(files["lib0.o"].replace(b"__tvm_ffi_search_sums", b"__tvm_ffi_SEARCH_SUMS"))
    options = ["--no-entry", "--export-dynamic", "--allow-undefined"]
    contents = linked_bytes(
        {"devc.o": files["devc.o"]}, "wasm", wasm_linker, options=options, inputs=[runtime]
    )
    assert contents[:4] == b"\0asm"
    for name in (b"__tvm_ffi__library_bin", b"__tvm_ffi_SEARCH_SUMS", b"@compute"):
        assert name in contents, name
