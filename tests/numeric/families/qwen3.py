"""Qwen3: a qwen2 with norms of query and key heads, its bias being optional."""

from __future__ import annotations

import numpy as np

from tests.numeric.families.llama import LLAMA
from tests.numeric.families.qwen2 import Qwen2
from tests.numeric.small_model import SmallModel


class Qwen3(Qwen2):
    """Each head is normalised before the rotary embedding."""

    def heads(self, prefix: str, x: np.ndarray) -> np.ndarray:
        config = self.config
        heads = super().heads(prefix, x).reshape(len(x), -1, config["head_dim"])
        ends = np.cumsum([config["num_attention_heads"], config["num_key_value_heads"]])
        query, key, value = np.split(heads, ends, 1)
        query = self.norm(prefix + "self_attn.q_norm", query)
        key = self.norm(prefix + "self_attn.k_norm", key)
        return np.concatenate([query, key, value], 1)


MODELS = {
    # Heads that together are longer than the vector of a token.
    "qwen3_tied": SmallModel(
        "qwen3",
        {
            **LLAMA,
            "num_attention_heads": 6,
            "num_key_value_heads": 3,
            "head_dim": 64,
            "rope_theta": 1e6,
            "tie_word_embeddings": True,
            "attention_bias": False,
        },
        Qwen3,
    ),
    "qwen3_untied": SmallModel(
        "qwen3",
        {
            **LLAMA,
            "num_attention_heads": 4,
            "num_key_value_heads": 1,
            "head_dim": 32,
            "rope_theta": 1e6,
            "tie_word_embeddings": False,
            "attention_bias": True,
        },
        Qwen3,
    ),
}
