"""A stablelm's parameters are those of its published weights, whose vocabulary has a fixed size."""

from __future__ import annotations

import pytest

from tools import config
from tools.compiler.describe import describe

CHAT_CONFIG = {
    "model_type": "stablelm",
    "quantization": "q4f16_1",
    "model_config": {
        "vocab_size": 100,
        "hidden_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "layer_norm_eps": 1e-05,
        "partial_rotary_factor": 0.25,
        "rope_theta": 10000,
        "intermediate_size": 96,
        "context_window_size": 128,
    },
}


def test_functions():
    """The functions that upstream's definition has, and no hidden states."""
    functions = describe(config.build_key(CHAT_CONFIG, "android"))["functions"]
    assert sorted(functions) == [
        "batch_decode",
        "batch_prefill",
        "batch_verify",
        "create_paged_kv_cache",
        "decode",
        "embed",
        "prefill",
    ]
    assert functions["decode"] == {
        "params": ['R.Tensor((1, 1, 64), dtype="float16")', "R.Any"],
        "ret": 'T.Tuple(R.Tensor((T.int64(1), T.int64(1), T.int64(100)), dtype="float32"), R.Any)',
    }


@pytest.mark.parametrize("bias", [False, True])
def test_parameters(bias):
    """Names, shapes, dtypes and order."""
    chat_config = {
        **CHAT_CONFIG,
        "model_config": {**CHAT_CONFIG["model_config"], "use_qkv_bias": bias},
    }

    def quantized(name, rows, columns):
        return [
            [f"{name}.q_weight", [rows, columns // 8], "uint32"],
            [f"{name}.q_scale", [rows, columns // 32], "float16"],
        ]

    def norm(name):
        return [[f"{name}.{part}", [64], "float16"] for part in ("weight", "bias")]

    layer = "model.layers.0"
    assert describe(config.build_key(chat_config, "android"))["params"] == [
        *quantized("model.embed_tokens", 100, 64),
        *quantized(f"{layer}.self_attn.qkv_proj", 128, 64),
        *([[f"{layer}.self_attn.qkv_proj.bias", [128], "float16"]] if bias else []),
        *quantized(f"{layer}.self_attn.o_proj", 64, 64),
        *quantized(f"{layer}.mlp.gate_up_proj", 192, 64),
        *quantized(f"{layer}.mlp.down_proj", 64, 96),
        *norm(f"{layer}.input_layernorm"),
        *norm(f"{layer}.post_attention_layernorm"),
        *norm("model.norm"),
        *quantized("lm_head", 100, 64),
    ]
