"""An internlm2 exports what upstream's model/internlm2/internlm2_model.py does."""

from __future__ import annotations

import pytest

from tests.unit.compiler.interface import FUNCTIONS, interface, norm, plain, quantized

MODEL_CONFIG = {
    "vocab_size": 100,
    "hidden_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-05,
    "rope_theta": 1000000,
    "intermediate_size": 96,
    "context_window_size": 128,
}


@pytest.mark.parametrize("bias", [False, True])
def test_interface(bias):
    """Only the layers around the attention may have biases."""
    result = interface("internlm2", {**MODEL_CONFIG, "bias": bias})
    layer = "model.layers.0"
    assert result["params"] == [
        *quantized("model.tok_embeddings", 100, 64),
        *quantized(f"{layer}.attention.wqkv", 128, 64),
        *(plain(f"{layer}.attention.wqkv.bias", 128) if bias else []),
        *quantized(f"{layer}.attention.wo", 64, 64),
        *(plain(f"{layer}.attention.wo.bias", 64) if bias else []),
        *quantized(f"{layer}.feed_forward.gate_up_proj", 192, 64),
        *quantized(f"{layer}.feed_forward.w2", 64, 96),
        *norm(f"{layer}.attention_norm", 64),
        *norm(f"{layer}.ffn_norm", 64),
        *norm("model.norm", 64),
        *quantized("output", 100, 64),
    ]
    assert result["functions"].keys() == FUNCTIONS
