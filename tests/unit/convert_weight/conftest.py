"""What the tests of tools/convert_weight share: a small model, and its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tools import config
from tools.compiler.parameters import stored_weights
from tools.convert_weight import checkpoint
from tools.convert_weight.convert import convert

LLAMA = {
    "model_type": "llama",
    "vocab_size": 90,
    "hidden_size": 64,
    "intermediate_size": 100,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
}


def parameters(quantization: str, **fields: Any) -> dict[str, Any]:
    """Returns what a library of the small model takes."""
    return stored_weights(config.checkpoint_key({**LLAMA, **fields}, quantization))


def llama_tensors() -> dict[str, np.ndarray]:
    """Returns the checkpoint of the small model, float32."""
    layer = "model.layers.0."
    shapes = {
        "lm_head.weight": (90, 64),
        "model.embed_tokens.weight": (90, 64),
        f"{layer}input_layernorm.weight": (64,),
        f"{layer}mlp.down_proj.weight": (64, 100),
        f"{layer}mlp.gate_proj.weight": (100, 64),
        f"{layer}mlp.up_proj.weight": (100, 64),
        f"{layer}post_attention_layernorm.weight": (64,),
        f"{layer}self_attn.k_proj.weight": (32, 64),
        f"{layer}self_attn.o_proj.weight": (64, 64),
        f"{layer}self_attn.q_proj.weight": (64, 64),
        f"{layer}self_attn.v_proj.weight": (32, 64),
        "model.norm.weight": (64,),
    }
    random = np.random.default_rng(0)
    return {name: random.standard_normal(shape, np.float32) for name, shape in shapes.items()}


def write_safetensors(path: Path, tensors: dict[str, np.ndarray]) -> str:
    """Writes float32 and float16 tensors; returns the path."""
    header: dict[str, Any] = {}
    data = b""
    for name, values in tensors.items():
        dtype = {"float32": "F32", "float16": "F16"}[values.dtype.name]
        span = [len(data), len(data) + values.nbytes]
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": span}
        data += values.tobytes()
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return str(path)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[Path, dict[str, dict[str, Any]]]]:
    """A function that converts tensors and returns the output's folder and digests."""

    def run(
        tensors: dict[str, np.ndarray],
        quantization: str = "q4f16_1",
        workers: int = 2,
        output: str = "converted",
        **fields: Any,
    ) -> tuple[Path, dict[str, dict[str, Any]]]:
        path = write_safetensors(tmp_path / "model.safetensors", tensors)
        directory = tmp_path / output
        found = checkpoint.read({"model.safetensors": path})
        return directory, convert(parameters(quantization, **fields), found, directory, workers)

    return run
