"""A gpt_bigcode exports what upstream's model/gpt_bigcode/gpt_bigcode_model.py does."""

from __future__ import annotations

from tests.unit.compiler.interface import FUNCTIONS, interface, norm, plain, quantized

MODEL_CONFIG = {
    "vocab_size": 100,
    "n_embd": 64,
    "n_layer": 1,
    "n_head": 4,
    "n_inner": 96,
    "n_positions": 128,
    "layer_norm_epsilon": 1e-05,
    "context_window_size": 96,
}


def test_interface():
    """One key and one value head; as many positions as were trained, whatever the context."""
    result = interface("gpt_bigcode", MODEL_CONFIG)
    layer, parts = "transformer.h.0", ("weight", "bias")

    def linear(name, rows, columns):
        return [*quantized(name, rows, columns), *plain(f"{name}.bias", rows)]

    assert result["params"] == [
        *quantized("transformer.wte", "vocab_size", 64),
        *quantized("transformer.wpe", 128, 64),
        *linear(f"{layer}.attn.c_attn", 96, 64),
        *linear(f"{layer}.attn.c_proj", 64, 64),
        *linear(f"{layer}.mlp.c_fc", 96, 64),
        *linear(f"{layer}.mlp.c_proj", 64, 96),
        *norm(f"{layer}.ln_1", 64, *parts),
        *norm(f"{layer}.ln_2", 64, *parts),
        *norm("transformer.ln_f", 64, *parts),
        *quantized("lm_head", "vocab_size", 64),
    ]
    assert result["functions"].keys() == FUNCTIONS
