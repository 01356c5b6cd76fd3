"""A stablelm's parameters are those of its published weights, whose vocabulary has a fixed size."""

from __future__ import annotations

import pytest

from tests.unit.compiler.interface import FUNCTIONS, interface, norm, plain, quantized

MODEL_CONFIG = {
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
}


def test_functions():
    """The functions that upstream's definition has, and no hidden states."""
    functions = interface("stablelm", MODEL_CONFIG)["functions"]
    assert functions.keys() == FUNCTIONS
    assert functions["decode"] == {
        "params": ['R.Tensor((1, 1, 64), dtype="float16")', "R.Any"],
        "ret": 'T.Tuple(R.Tensor((T.int64(1), T.int64(1), T.int64(100)), dtype="float32"), R.Any)',
    }


@pytest.mark.parametrize("bias", [False, True])
def test_parameters(bias):
    """Names, shapes, dtypes and order."""
    layer, parts = "model.layers.0", ("weight", "bias")
    assert interface("stablelm", {**MODEL_CONFIG, "use_qkv_bias": bias})["params"] == [
        *quantized("model.embed_tokens", 100, 64),
        *quantized(f"{layer}.self_attn.qkv_proj", 128, 64),
        *(plain(f"{layer}.self_attn.qkv_proj.bias", 128) if bias else []),
        *quantized(f"{layer}.self_attn.o_proj", 64, 64),
        *quantized(f"{layer}.mlp.gate_up_proj", 192, 64),
        *quantized(f"{layer}.mlp.down_proj", 64, 96),
        *norm(f"{layer}.input_layernorm", 64, *parts),
        *norm(f"{layer}.post_attention_layernorm", 64, *parts),
        *norm("model.norm", 64, *parts),
        *quantized("lm_head", 100, 64),
    ]
