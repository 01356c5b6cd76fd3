"""A gemma3 exports what upstream's model/gemma3/gemma3_model.py does."""

from __future__ import annotations

import pytest

from tests.unit.compiler.interface import FUNCTIONS, interface, norm, quantized

TEXT = {
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "sliding_window": 128,
}


@pytest.mark.parametrize(
    ("model_type", "model_config"), [("gemma3", {"text_config": TEXT}), ("gemma3_text", TEXT)]
)
def test_interface(model_type, model_config):
    """Both have the names of the model that sees images; query, key and value are apart."""
    result = interface(model_type, {"context_window_size": 256, **model_config})
    body = "language_model.model"
    layer = f"{body}.layers.0"
    assert result["params"] == [
        *quantized(f"{body}.embed_tokens", "vocab_size", 64),
        *quantized(f"{layer}.self_attn.q_proj", 128, 64),
        *quantized(f"{layer}.self_attn.k_proj", 64, 64),
        *quantized(f"{layer}.self_attn.v_proj", 64, 64),
        *quantized(f"{layer}.self_attn.o_proj", 64, 128),
        *norm(f"{layer}.self_attn.q_norm", 32),
        *norm(f"{layer}.self_attn.k_norm", 32),
        *quantized(f"{layer}.mlp.gate_up_proj", 192, 64),
        *quantized(f"{layer}.mlp.down_proj", 64, 96),
        *norm(f"{layer}.input_layernorm", 64),
        *norm(f"{layer}.post_attention_layernorm", 64),
        *norm(f"{layer}.pre_feedforward_layernorm", 64),
        *norm(f"{layer}.post_feedforward_layernorm", 64),
        *norm(f"{body}.norm", 64),
    ]
    assert result["functions"].keys() == FUNCTIONS
