"""A qwen2_moe exports what upstream's model/qwen2_moe/qwen2_moe_model.py does."""

from __future__ import annotations

from tests.unit.compiler.interface import FUNCTIONS, interface, norm, plain, quantized

MODEL_CONFIG = {
    "vocab_size": 100,
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-05,
    "rope_theta": 1000000,
    "intermediate_size": 192,
    "moe_intermediate_size": 32,
    "shared_expert_intermediate_size": 96,
    "num_experts": 6,
    "num_experts_per_tok": 2,
    "context_window_size": 128,
    # Without effect.
    "tie_word_embeddings": True,
}


def test_interface():
    """The shared expert comes first; what weighs experts is not quantized."""
    result = interface("qwen2_moe", MODEL_CONFIG)
    layer, mlp = "model.layers.0", "model.layers.0.mlp"
    assert result["params"] == [
        *quantized("model.embed_tokens", 100, 64),
        *quantized(f"{layer}.self_attn.c_attn", 128, 64),
        *plain(f"{layer}.self_attn.c_attn.bias", 128),
        *quantized(f"{layer}.self_attn.o_proj", 64, 64),
        *quantized(f"{mlp}.shared_expert.gate_up_proj", 192, 64),
        *quantized(f"{mlp}.shared_expert.down_proj", 64, 96),
        *plain(f"{mlp}.shared_expert_gate.weight", 1, 64),
        *plain(f"{mlp}.gate.weight", 6, 64),
        *quantized(f"{mlp}.moe_gate_up_proj", 6, 64, 64),
        *quantized(f"{mlp}.moe_down_proj", 6, 64, 32),
        *norm(f"{layer}.input_layernorm", 64),
        *norm(f"{layer}.post_attention_layernorm", 64),
        *norm("model.norm", 64),
        *quantized("lm_head", 100, 64),
    ]
    assert result["functions"].keys() == FUNCTIONS
