"""GPT-NeoX: attention and feed-forward in sequence, or side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tests.numeric.numpy_layers import LayerNormDecoder, gelu
from tests.numeric.small_model import LAYERS, SmallModel


class GPTNeoX(LayerNormDecoder):
    """Heads are rotated at their beginning."""

    def logits(self, tokens: Sequence[int]) -> np.ndarray:
        """Returns ``(len(tokens), vocab_size)``."""
        config = self.config
        rotary_dim = int(config["head_dim"] * config["rotary_pct"])
        x = self.weights["gpt_neox.embed_in.weight"][tokens]
        for layer in range(config["num_hidden_layers"]):
            prefix = f"gpt_neox.layers.{layer}."
            names = (prefix + "attention.query_key_value", prefix + "attention.dense")
            attended = self.attention(names, self.norm(prefix + "input_layernorm", x), rotary_dim)
            before = x if config["use_parallel_residual"] else x + attended
            inner = self.norm(prefix + "post_attention_layernorm", before)
            inner = gelu(self.linear(prefix + "mlp.dense_h_to_4h", inner))
            x = x + attended + self.linear(prefix + "mlp.dense_4h_to_h", inner)
        return self.linear("embed_out", self.norm("gpt_neox.final_layer_norm", x))


_CONFIG = {
    **LAYERS,
    "num_attention_heads": 4,
    "head_dim": 64,
    "layer_norm_eps": 1e-5,
    "position_embedding_base": 10000.0,
}

MODELS = {
    "gpt_neox": SmallModel(
        "gpt_neox", {**_CONFIG, "use_parallel_residual": False, "rotary_pct": 1.0}, GPTNeoX
    ),
    "gpt_neox_parallel": SmallModel(
        "gpt_neox",
        {**_CONFIG, "use_parallel_residual": True, "rotary_pct": 0.25},
        GPTNeoX,
        ("q0f32",),
    ),
    "gpt_neox_float16": SmallModel(
        "gpt_neox",
        {
            **_CONFIG,
            "use_parallel_residual": True,
            "rotary_pct": 0.5,
            "ffn_out_dtype": "float16",
        },
        GPTNeoX,
        ("q4f16_1",),
    ),
}
