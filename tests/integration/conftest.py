"""Fixtures of the integration tests."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Iterator

import pytest

from tests.integration.workspace import Workspace

# The smallest llama that every code path of the compiler sees: GQA, two layers.
TINY_CONFIG = {
    "version": "0.1.0",
    "model_type": "llama",
    "quantization": "q4f16_1",
    "model_config": {
        "hidden_size": 128,
        "intermediate_size": 256,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "num_hidden_layers": 2,
        "rms_norm_eps": 1e-5,
        "vocab_size": 512,
        "position_embedding_base": 10000,
        "context_window_size": 256,
        "prefill_chunk_size": 64,
        "head_dim": 32,
    },
    "vocab_size": 512,
    "context_window_size": 256,
    "prefill_chunk_size": 64,
    "temperature": 0.7,
    "top_p": 0.95,
    "tokenizer_files": ["tokenizer.json"],
}

PREAMBLE = """\
load("@rules_mlc//rules:defs.bzl", "mlc_model", "mlc_model_lib", "mlc_package")
load("@rules_mlc//rules:defs.bzl", "mlc_prebuilt_model_lib", "mlc_weight_bundle")
"""


@pytest.fixture(scope="module")
def new_workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Workspace]]:
    """Makes scratch workspaces with a tiny model's config; their servers end with the module."""
    made: list[Workspace] = []

    def make() -> Workspace:
        root: pathlib.Path = tmp_path_factory.mktemp("workspace")
        workspace = Workspace(root)
        workspace.write("tiny.json", json.dumps(TINY_CONFIG, indent=2))
        made.append(workspace)
        return workspace

    yield make
    for workspace in made:
        workspace.stop()
