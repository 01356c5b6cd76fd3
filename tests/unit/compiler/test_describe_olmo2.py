"""An olmo2 exports what upstream's model/olmo2/olmo2_model.py does."""

from __future__ import annotations

import pytest

from tests.unit.compiler.interface import FUNCTIONS, HIDDEN_STATES, interface, norm, quantized

MODEL_CONFIG = {
    "vocab_size": 100,
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "context_window_size": 128,
}


@pytest.mark.parametrize("tied", [False, True])
def test_interface(tied):
    """Norms of queries and keys are as long as the projections; hidden states are exported."""
    result = interface("olmo2", {**MODEL_CONFIG, "tie_word_embeddings": tied})
    layer = "model.layers.0"
    assert result["params"] == [
        *quantized("model.embed_tokens", 100, 64),
        *quantized(f"{layer}.self_attn.qkv_proj", 128, 64),
        *quantized(f"{layer}.self_attn.o_proj", 64, 64),
        *norm(f"{layer}.self_attn.q_norm", 64),
        *norm(f"{layer}.self_attn.k_norm", 32),
        *quantized(f"{layer}.mlp.gate_up_proj", 192, 64),
        *quantized(f"{layer}.mlp.down_proj", 64, 96),
        *norm(f"{layer}.post_attention_layernorm", 64),
        *norm(f"{layer}.post_feedforward_layernorm", 64),
        *norm("model.norm", 64),
        *([] if tied else quantized("lm_head", 100, 64)),
    ]
    assert result["functions"].keys() == FUNCTIONS | HIDDEN_STATES
