"""Qwen2: a llama whose query, key and value have a bias."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.numeric.families.llama import LLAMA, Llama
from tests.numeric.small_model import SmallModel


class Qwen2(Llama):
    """A llama with other names."""

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        super().__init__({**config, "position_embedding_base": config["rope_theta"]}, weights)

    def heads(self, prefix: str, x: np.ndarray) -> np.ndarray:
        name = prefix + "self_attn.c_attn"
        return x @ self.weight(name).T + self.weights.get(f"{name}.bias", 0)


MODELS = {
    "qwen2_tied": SmallModel(
        "qwen2",
        {
            **LLAMA,
            "num_attention_heads": 8,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "rope_theta": 1e6,
            "tie_word_embeddings": True,
        },
        Qwen2,
    ),
    "qwen2_untied": SmallModel(
        "qwen2",
        {
            **LLAMA,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "head_dim": 64,
            "rope_theta": 1e4,
            "tie_word_embeddings": False,
        },
        Qwen2,
    ),
}
