"""Every family but llama, which the other tests take, compiles for a phone's GPU."""

from __future__ import annotations

import json

import lief
import pytest

from tests.unit.compiler.test_objects import RUNTIME, symbols
from tools import config
from tools.compiler.build import build_library
from tools.compiler.progress import Progress

_SIZES = {"vocab_size": 100, "context_window_size": 128, "prefill_chunk_size": 32}
_LAYERS = {"hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 1}

MODELS = {
    "gpt2": {"n_embd": 64, "n_layer": 1, "n_head": 4, "layer_norm_epsilon": 1e-5},
    "gpt_neox": {
        **_LAYERS,
        "use_parallel_residual": True,
        "num_attention_heads": 4,
        "layer_norm_eps": 1e-5,
        "rotary_pct": 0.5,
    },
    "phi": {**_LAYERS, "num_attention_heads": 4},
    "phi-msft": {"n_embd": 64, "n_layer": 1, "n_head": 4, "rotary_dim": 8},
    "phi3": {
        **_LAYERS,
        "num_attention_heads": 4,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 256,
        "original_max_position_embeddings": 64,
        "rope_scaling": {"type": "longrope", "long_factor": [2] * 8, "short_factor": [1] * 8},
    },
}


@pytest.mark.parametrize("model_type", MODELS)
def test_android(model_type):
    """The functions are there, without those that only llama has; nothing is missing but the
    runtime's and C's symbols."""
    chat_config = {
        "model_type": model_type,
        "quantization": "q4f16_1",
        "model_config": {**_SIZES, **MODELS[model_type]},
    }
    key = config.build_key(chat_config, "android", model_lib="small")
    built = build_library(key, system_library=True, progress=Progress(False))
    assert set(built.metadata["memory_usage"]) == {
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
    assert built.metadata["model_type"] == model_type
    assert json.loads(json.dumps(built.metadata)) == built.metadata
    strong, undefined = set(), set()
    for contents in built.objects.values():
        names, _, missing = symbols(lief.parse(contents))
        strong |= names
        undefined |= missing
    assert {name for name in undefined - strong if not RUNTIME.fullmatch(name)} == set()
