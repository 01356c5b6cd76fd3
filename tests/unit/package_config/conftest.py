"""What the tests of tools/package_config share: a config without mistakes, and its errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools import package_config
from tools.cli import UserError


@pytest.fixture
def folder(tmp_path) -> Path:
    """An app's folder with a directory that looks like a converted model."""
    model = tmp_path / "My models (new)" / "phi"
    model.mkdir(parents=True)
    (model / "mlc-chat-config.json").write_text("{}")
    (model / "params_shard_0.bin").write_bytes(b"\0")
    return tmp_path


@pytest.fixture
def config() -> dict[str, Any]:
    """A config that uses every field."""
    return {
        "device": "android",
        "model_list": [
            {
                "model": "HF://mlc-ai/Qwen3-0.6B-q0f16-MLC",
                "model_id": "Qwen3-0.6B-q0f16-MLC",
                "estimated_vram_bytes": 3000000000,
                "overrides": {"prefill_chunk_size": 128, "opt": "O3"},
                "model_lib": "qwen3-q0f16",
            },
            {
                "model": "./My models (new)/phi",
                "model_id": "phi",
                "estimated_vram_bytes": 1,
                "bundle_weight": True,
            },
        ],
    }


@pytest.fixture
def load(folder) -> Callable[..., package_config.Loaded]:
    """Loads a config, given as JSON or as the bytes of the file."""

    def call(config: Any, strict: bool = False) -> package_config.Loaded:
        data = config if isinstance(config, bytes) else json.dumps(config, indent=2).encode()
        path = folder / "mlc-package-config.json"
        path.write_bytes(data)
        return package_config.load(path, name="c.json", strict=strict)

    return call


@pytest.fixture
def errors(load) -> Callable[..., list[str]]:
    """Loads a config that has mistakes; returns the lines that say so."""

    def call(config: Any, strict: bool = False) -> list[str]:
        with pytest.raises(UserError) as caught:
            load(config, strict)
        return str(caught.value).splitlines()

    return call
