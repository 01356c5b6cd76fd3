"""A gemma2 exports what upstream's model/gemma2/gemma2_model.py does."""

from __future__ import annotations

from tests.unit.compiler.interface import FUNCTIONS, interface, norm, quantized

MODEL_CONFIG = {
    "vocab_size": 100,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "rms_norm_eps": 1e-6,
    "hidden_activation": "gelu_pytorch_tanh",
    "query_pre_attn_scalar": 32,
    "sliding_window": 128,
    "context_window_size": 256,
}


def test_interface():
    """Two norms a layer more than a gemma; no hidden states."""
    result = interface("gemma2", MODEL_CONFIG)
    layer = "model.layers.0"
    assert result["params"] == [
        *quantized("model.embed_tokens", "vocab_size", 64),
        *quantized(f"{layer}.self_attn.qkv_proj", 256, 64),
        *quantized(f"{layer}.self_attn.o_proj", 64, 128),
        *quantized(f"{layer}.mlp.gate_up_proj", 192, 64),
        *quantized(f"{layer}.mlp.down_proj", 64, 96),
        *norm(f"{layer}.input_layernorm", 64),
        *norm(f"{layer}.post_attention_layernorm", 64),
        *norm(f"{layer}.pre_feedforward_layernorm", 64),
        *norm(f"{layer}.post_feedforward_layernorm", 64),
        *norm("model.norm", 64),
    ]
    assert result["functions"].keys() == FUNCTIONS
