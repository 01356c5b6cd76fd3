"""A starcoder2 exports what upstream's model/starcoder2/starcoder2_model.py does."""

from __future__ import annotations

import pytest

from tests.unit.compiler.interface import FUNCTIONS, interface, norm, plain, quantized

MODEL_CONFIG = {
    "vocab_size": 100,
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "norm_epsilon": 1e-05,
    "rope_theta": 100000,
    "intermediate_size": 96,
    "context_window_size": 128,
}


@pytest.mark.parametrize("use_bias", [False, True])
def test_interface(use_bias):
    """The biases are all there or none; embedding and output are two parameters of fixed size."""
    result = interface("starcoder2", {**MODEL_CONFIG, "use_bias": use_bias})
    layer, parts = "model.layers.0", ("weight", "bias")

    def linear(name, rows, columns):
        bias = plain(f"{name}.bias", rows) if use_bias else []
        return [*quantized(name, rows, columns), *bias]

    assert result["params"] == [
        *quantized("model.embed_tokens", 100, 64),
        *linear(f"{layer}.self_attn.wqkv_pack", 128, 64),
        *linear(f"{layer}.self_attn.o_proj", 64, 64),
        *linear(f"{layer}.mlp.c_fc", 96, 64),
        *linear(f"{layer}.mlp.c_proj", 64, 96),
        *norm(f"{layer}.input_layernorm", 64, *parts),
        *norm(f"{layer}.post_attention_layernorm", 64, *parts),
        *norm("model.norm", 64, *parts),
        *quantized("lm_head", 100, 64),
    ]
    assert result["functions"].keys() == FUNCTIONS
