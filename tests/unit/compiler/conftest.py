"""What the tests of tools/compiler share: the key of a small llama, and its compiled libraries."""

from __future__ import annotations

import functools
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lief
import pytest

from tools import config
from tools.compiler.compile import compile_library
from tools.config import CompileKey


def small_chat_config(**changes: Any) -> dict[str, Any]:
    """Returns mlc-chat-config.json of a llama of one layer; `changes` are of ``model_config``."""
    return {
        "model_type": "llama",
        "quantization": "q4f16_1",
        "model_config": {
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "num_hidden_layers": 1,
            "rms_norm_eps": 1e-5,
            "vocab_size": 100,
            "context_window_size": 128,
            "prefill_chunk_size": 32,
            "max_batch_size": 2,
            **changes,
        },
    }


@pytest.fixture
def small_key() -> Callable[..., CompileKey]:
    """A function ``(device, **changes of model_config) -> compile key``."""

    def small_key(device: str, **changes: Any) -> CompileKey:
        return config.build_key(small_chat_config(**changes), device, model_lib="small")

    return small_key


class Library:
    """The files of a compiled library."""

    def __init__(self, directory: Path) -> None:
        self.archive = (directory / "small.tar").read_bytes()
        self.metadata = json.loads((directory / "small.metadata.json").read_text())
        self.log = (directory / "small.log").read_text()

    def members(self) -> list[tarfile.TarInfo]:
        with tarfile.open(fileobj=io.BytesIO(self.archive)) as archive:
            return archive.getmembers()

    def objects(self) -> list[Any]:
        """The object files, as lief reads them."""
        with tarfile.open(fileobj=io.BytesIO(self.archive)) as archive:
            return [lief.parse(archive.extractfile(m).read()) for m in archive.getmembers()]


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Library]:
    """A function ``device -> library``; each is compiled once."""

    @functools.cache
    def compiled(device: str) -> Library:
        directory = tmp_path_factory.mktemp("library")
        compile_library(
            config.build_key(small_chat_config(), device, model_lib="small"),
            directory / "small.tar",
            directory / "small.metadata.json",
            directory / "small.log",
        )
        return Library(directory)

    return compiled
