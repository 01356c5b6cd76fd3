"""OLMo 2: norms of queries and keys, and after attention and feed-forward layers."""

from __future__ import annotations

import numpy as np

from tests.numeric.families.llama import LLAMA, Llama
from tests.numeric.small_model import SmallModel


class OLMo2(Llama):
    """A llama but for where the norms are."""

    def layer(self, layer: int, prefix: str, x: np.ndarray) -> np.ndarray:
        attended = self.attention(layer, prefix, x)
        x = x + self.norm(prefix + "post_attention_layernorm", attended)
        return x + self.norm(prefix + "post_feedforward_layernorm", self.mlp(prefix, x))

    def heads(self, prefix: str, x: np.ndarray) -> np.ndarray:
        query_size = self.config["num_attention_heads"] * self.config["head_dim"]
        key_size = self.config["num_key_value_heads"] * self.config["head_dim"]
        query, key, value = np.split(
            super().heads(prefix, x), [query_size, query_size + key_size], -1
        )
        query = self.norm(prefix + "self_attn.q_norm", query)
        key = self.norm(prefix + "self_attn.k_norm", key)
        return np.concatenate([query, key, value], -1)


MODELS = {
    "olmo2": SmallModel(
        "olmo2",
        {
            **LLAMA,
            "num_attention_heads": 8,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "tie_word_embeddings": False,
        },
        OLMo2,
    ),
    "olmo2_tied": SmallModel(
        "olmo2",
        {
            **LLAMA,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "head_dim": 64,
            "tie_word_embeddings": True,
        },
        OLMo2,
        ("q0f32",),
    ),
}
