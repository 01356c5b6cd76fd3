"""A mixtral exports what upstream's model/mixtral/mixtral_model.py does."""

from __future__ import annotations

import pytest

from tests.unit.compiler.interface import (
    FUNCTIONS,
    HIDDEN_STATES,
    interface,
    norm,
    plain,
    quantized,
)

MODEL_CONFIG = {
    "vocab_size": 100,
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-05,
    "intermediate_size": 96,
    "context_window_size": 128,
    "num_experts_per_tok": 2,
}


@pytest.mark.parametrize("experts", [8, 257])
def test_interface(experts):
    """A layer's experts are one weight; what chooses among up to 256 of them is not quantized."""
    result = interface("mixtral", {**MODEL_CONFIG, "num_local_experts": experts})
    layer, gate = "model.layers.0", "model.layers.0.moe.gate"
    assert result["params"] == [
        *quantized("model.embed_tokens", "vocab_size", 64),
        *quantized(f"{layer}.self_attn.qkv_proj", 128, 64),
        *quantized(f"{layer}.self_attn.o_proj", 64, 64),
        *(plain(f"{gate}.weight", 8, 64) if experts == 8 else quantized(gate, 257, 64)),
        *quantized(f"{layer}.moe.e1_e3", experts, 192, 64),
        *quantized(f"{layer}.moe.e2", experts, 64, 96),
        *norm(f"{layer}.input_layernorm", 64),
        *norm(f"{layer}.post_attention_layernorm", 64),
        *norm("model.norm", 64),
        *quantized("lm_head", "vocab_size", 64),
    ]
    assert result["functions"].keys() == FUNCTIONS | HIDDEN_STATES
