"""A qwen3_moe exports what upstream's model/qwen3_moe/qwen3_moe_model.py does."""

from __future__ import annotations

import pytest

from tests.unit.compiler.interface import FUNCTIONS, interface, norm, plain, quantized

MODEL_CONFIG = {
    "vocab_size": 100,
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "rms_norm_eps": 1e-05,
    "rope_theta": 1000000,
    "intermediate_size": 192,
    "moe_intermediate_size": 32,
    "num_experts": 6,
    "num_experts_per_tok": 2,
    "context_window_size": 128,
}


@pytest.mark.parametrize("bias", [False, True])
def test_interface(bias):
    """The layers around the attention both have a bias, or none."""
    result = interface("qwen3_moe", {**MODEL_CONFIG, "attention_bias": bias})
    layer, mlp = "model.layers.0", "model.layers.0.mlp"
    assert result["params"] == [
        *quantized("model.embed_tokens", 100, 64),
        *quantized(f"{layer}.self_attn.c_attn", 256, 64),
        *(plain(f"{layer}.self_attn.c_attn.bias", 256) if bias else []),
        *quantized(f"{layer}.self_attn.o_proj", 64, 128),
        *(plain(f"{layer}.self_attn.o_proj.bias", 64) if bias else []),
        *norm(f"{layer}.self_attn.q_norm", 32),
        *norm(f"{layer}.self_attn.k_norm", 32),
        *plain(f"{mlp}.gate.weight", 6, 64),
        *quantized(f"{mlp}.moe_gate_up_proj", 6, 64, 64),
        *quantized(f"{mlp}.moe_down_proj", 6, 64, 32),
        *norm(f"{layer}.input_layernorm", 64),
        *norm(f"{layer}.post_attention_layernorm", 64),
        *norm("model.norm", 64),
        *quantized("lm_head", 100, 64),
    ]
    assert result["functions"].keys() == FUNCTIONS
