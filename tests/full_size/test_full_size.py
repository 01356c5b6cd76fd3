"""Protects full-size packages: formats, symbols and figures of Llama-3.2-1B for both phones."""

from __future__ import annotations

import hashlib
import json
import pathlib

import lief
import pytest

HERE = pathlib.Path(__file__).parent

# Of the 1,235,814,400 parameters that the model's publisher counts, the norms have 16 bits and the
# others 4 and a 16-bit scale for each 32.
NORMS = 2048 * (2 * 16 + 1)
PARAMETER_BYTES = NORMS * 2 + (1_235_814_400 - NORMS) * (4 * 32 + 16) // 32 // 8


def members(archive: pathlib.Path) -> dict[str, bytes]:
    """Name -> content of the objects in a static archive; reads both GNU's and BSD's long names."""
    data, found, offset = archive.read_bytes(), {}, 8
    assert data[:8] == b"!<arch>\n"
    while offset < len(data):
        name = data[offset : offset + 16].decode().strip()
        size = int(data[offset + 48 : offset + 58])
        body = data[offset + 60 : offset + 60 + size]
        if name.startswith("#1/"):
            length = int(name[3:])
            name, body = body[:length].rstrip(b"\0").decode(), body[length:]
        found[name] = body
        offset += 60 + size + size % 2
    return found


def objects(archive: pathlib.Path) -> list[lief.Binary]:
    """Every member but the symbol index and the name table."""
    kept = {
        n: b for n, b in members(archive).items() if not n.startswith(("/ ", "//", "__.SYMDEF"))
    }
    return [lief.parse(body) for name, body in kept.items() if name != "/"]


def manifest(device: str) -> dict:
    return json.loads((HERE / device / "package-manifest.json").read_text())


@pytest.mark.parametrize("device", ["android", "iphone"])
def test_manifest_is_true(device):
    for file in manifest(device)["files"]:
        data = (HERE / device / file["path"]).read_bytes()
        assert len(data) == file["nbytes"]
        assert hashlib.sha256(data).hexdigest() == file["sha256"]


@pytest.mark.parametrize("device", ["android", "iphone"])
def test_memory_figures(device):
    (library,) = manifest(device)["libraries"]
    memory = library["memory"]
    assert memory["parameter_bytes"] == PARAMETER_BYTES
    # 64 wide, 16 layers, 8 heads, keys and values, 2 bytes each, 4096 tokens.
    assert memory["kv_cache_bytes"] == 64 * 16 * 8 * 2 * 2 * 4096
    (entry,) = json.loads((HERE / device / "bundle/mlc-app-config.json").read_text())["model_list"]
    assert (
        entry["estimated_vram_bytes"]
        == memory["total_bytes"]
        == sum(memory[name] for name in ("parameter_bytes", "temporary_bytes", "kv_cache_bytes"))
    )


def test_android_objects():
    (library,) = manifest("android")["libraries"]
    found = objects(HERE / "android/lib/libmodel_android.a")
    assert all(binary.header.machine_type == lief.ELF.ARCH.AARCH64 for binary in found)
    defined = [s.name for b in found for s in b.symbols if s.shndx != 0]
    assert f"{library['model_lib']}___tvm_ffi__library_bin" in defined


def test_iphone_objects():
    (library,) = manifest("iphone")["libraries"]
    found = objects(HERE / "iphone/lib/libmodel_iphone.a")
    for binary in found:
        assert binary.header.cpu_type == lief.MachO.Header.CPU_TYPE.ARM64
        assert binary.build_version.platform == lief.MachO.BuildVersion.PLATFORMS.IOS
    defined = [s.name for b in found for s in b.symbols if s.numberof_sections]
    assert f"_{library['model_lib']}___tvm_ffi__library_bin" in defined
