"""Phi: attention and feed-forward side by side, after one norm; two spellings of the config."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.numeric.numpy_layers import LayerNormDecoder, gelu_tanh
from tests.numeric.small_model import LAYERS, SIZES, SmallModel


class Phi(LayerNormDecoder):
    """A phi."""

    def logits(self, tokens: Sequence[int]) -> np.ndarray:
        """Returns ``(len(tokens), vocab_size)``."""
        config = self.config
        rotary_dim = int(config["head_dim"] * config["partial_rotary_factor"])
        x = self.weights["transformer.embd.weight"][tokens]
        for layer in range(config["num_hidden_layers"]):
            prefix = f"transformer.h.{layer}."
            normed = self.norm(prefix + "ln", x)
            names = (prefix + "mixer.Wqkv", prefix + "mixer.out_proj")
            attended = self.attention(names, normed, rotary_dim)
            inner = gelu_tanh(self.linear(prefix + "mlp.fc1", normed))
            x = x + attended + self.linear(prefix + "mlp.fc2", inner)
        return self.linear("lm_head.linear", self.norm("lm_head.ln", x))


def _phi_msft(config: dict, weights: dict[str, np.ndarray]) -> Phi:
    spelled = {
        "head_dim": config["head_dim"],
        "layer_norm_eps": config["layer_norm_epsilon"],
        "num_hidden_layers": config["n_layer"],
        "partial_rotary_factor": config["rotary_dim"] / config["head_dim"],
        "position_embedding_base": config["position_embedding_base"],
    }
    return Phi(spelled, weights)


MODELS = {
    "phi": SmallModel(
        "phi",
        {
            **LAYERS,
            "num_attention_heads": 8,
            "num_key_value_heads": 8,
            "head_dim": 32,
            "layer_norm_eps": 1e-5,
            "position_embedding_base": 10000.0,
            "partial_rotary_factor": 0.5,
        },
        Phi,
    ),
    "phi_msft": SmallModel(
        "phi-msft",
        {
            **SIZES,
            "n_embd": 256,
            "n_inner": 480,
            "n_layer": 2,
            "n_head": 4,
            "n_head_kv": 2,
            "head_dim": 64,
            "layer_norm_epsilon": 1e-5,
            "position_embedding_base": 10000.0,
            "rotary_dim": 24,
        },
        _phi_msft,
    ),
}
