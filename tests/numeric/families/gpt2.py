"""GPT-2: learned positions, attention and feed-forward in sequence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.numeric.numpy_layers import LayerNormDecoder, gelu_tanh
from tests.numeric.small_model import SIZES, SmallModel


class GPT2(LayerNormDecoder):
    """Scores may be divided by the number of the layer."""

    epsilon = "layer_norm_epsilon"

    def logits(self, tokens: Sequence[int]) -> np.ndarray:
        """Returns ``(len(tokens), vocab_size)``."""
        config = self.config
        x = self.weights["transformer.wte.weight"][tokens]
        x = x + self.weights["transformer.wpe.weight"][: len(tokens)]
        for layer in range(config["n_layer"]):
            prefix = f"transformer.h.{layer}."
            names = (prefix + "attn.c_attn", prefix + "attn.c_proj")
            divisor = layer + 1 if config["scale_attn_by_inverse_layer_idx"] else 1
            scale = config["head_dim"] ** -0.5 / divisor
            x = x + self.attention(names, self.norm(prefix + "ln_1", x), 0, scale=scale)
            inner = gelu_tanh(self.linear(prefix + "mlp.c_fc", self.norm(prefix + "ln_2", x)))
            x = x + self.linear(prefix + "mlp.c_proj", inner)
        return self.linear("lm_head", self.norm("transformer.ln_f", x))


_CONFIG = {
    **SIZES,
    "n_embd": 256,
    "n_layer": 2,
    "n_head": 4,
    "n_inner": 480,
    "head_dim": 64,
    "layer_norm_epsilon": 1e-5,
}

MODELS = {
    "gpt2": SmallModel("gpt2", {**_CONFIG, "scale_attn_by_inverse_layer_idx": False}, GPT2),
    "gpt2_scaled": SmallModel(
        "gpt2", {**_CONFIG, "scale_attn_by_inverse_layer_idx": True}, GPT2, ("q0f32",)
    ),
}
