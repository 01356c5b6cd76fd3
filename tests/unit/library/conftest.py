"""What the tests of tools/library share: libraries made by hand, by the layout's description."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.objects import STRONG, elf_object, library_bin, macho_object
from tools import cli
from tools.library.__main__ import main

SUFFIX = "__tvm_ffi__library_bin"

METADATA = {
    "model_type": "llama",
    "quantization": "q4f16_1",
    "context_window_size": 100,
    "sliding_window_size": -1,
    "prefill_chunk_size": 64,
    "kv_cache": {"num_hidden_layers": 3, "num_key_value_heads": 2, "head_dim": 5},
    "memory_usage": {"prefill": 700, "decode": 70},
    "params": [
        {"name": "embed", "shape": ["vocab_size", 8], "dtype": "uint32"},
        {"name": "norm", "shape": [8], "dtype": "float16"},
    ],
}
CHAT_CONFIG = {"model_type": "llama", "quantization": "q4f16_1", "vocab_size": 10}


class Workshop:
    """Makes libraries in a folder, and gives them to the command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("config.json", json.dumps(CHAT_CONFIG).encode())

    def write(self, name: str, data: bytes) -> str:
        """Writes a file; returns its name."""
        (self.folder / name).write_bytes(data)
        return name

    def object(
        self,
        device: str = "android",
        symbol: str = f"phi_{SUFFIX}",
        kernels: Mapping[str, str] | None = None,
        metadata: Any = METADATA,
        platform: int | None = None,
    ) -> bytes:
        """Returns the object with a library's data."""
        if device == "iphone":
            data = library_bin(kernels or {"metal": "metal"}, metadata)
            return macho_object({f"_{symbol}": STRONG}, data, platform)
        return elf_object({symbol: STRONG}, library_bin(kernels or {"opencl": "cl"}, metadata))

    def tar(self, name: str, **objects: bytes) -> str:
        """Writes a gzipped .tar as TVM does; returns its name."""
        with tarfile.open(self.folder / name, "w:gz") as tar:
            for member, data in objects.items():
                info = tarfile.TarInfo(f"./{member}.o")
                info.size, info.mtime = len(data), 1700000000
                tar.addfile(info, io.BytesIO(data))
        return name

    def run(self, library: str, *more: str, device: str = "android") -> dict[str, Any]:
        """Runs the command; returns the metadata file."""
        main(
            [
                *("accept", "--library", library, "--config", "config.json", "--device", device),
                *("--model-lib", "phi", "--objects", "out.tar", "--key", "key.json"),
                *("--metadata", "out.json", "--log", "log", "--where", "//a:b", *more),
            ]
        )
        return json.loads((self.folder / "out.json").read_bytes())

    def error(self, library: str, *more: str, device: str = "android") -> str:
        """Runs the command, which must fail and write nothing; returns its error."""
        with pytest.raises(cli.UserError) as caught:
            self.run(library, *more, device=device)
        for name in ("out.tar", "key.json", "out.json", "log"):
            assert not (self.folder / name).exists()
        return str(caught.value)


@pytest.fixture
def workshop(tmp_path, monkeypatch) -> Workshop:
    """A workshop in the current directory, so that errors show short paths."""
    monkeypatch.chdir(tmp_path)
    return Workshop(Path())


@pytest.fixture
def members() -> Callable[[str], dict[str, bytes]]:
    """Reads a .tar."""

    def read(name: str) -> dict[str, bytes]:
        with tarfile.open(name) as tar:
            return {member.name: tar.extractfile(member).read() for member in tar}

    return read
