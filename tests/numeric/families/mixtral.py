"""Mixtral: a llama whose feed-forward layers are made of experts."""

from __future__ import annotations

import numpy as np

from tests.numeric.families.llama import LLAMA, Llama
from tests.numeric.numpy_layers import mixture_of_experts
from tests.numeric.small_model import SmallModel


class Mixtral(Llama):
    """The weights of a token's experts sum to 1."""

    def mlp(self, prefix: str, x: np.ndarray) -> np.ndarray:
        weights = (self.weight(f"{prefix}moe.{name}") for name in ("gate", "e1_e3", "e2"))
        chosen = self.config["num_experts_per_tok"]
        return mixture_of_experts(x, *weights, chosen, renormalise=True)


_CONFIG = {**LLAMA, "intermediate_size": 160, "num_experts_per_tok": 2}

MODELS = {
    "mixtral": SmallModel(
        "mixtral",
        {
            **_CONFIG,
            "num_attention_heads": 8,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "num_local_experts": 8,
        },
        Mixtral,
    ),
    "mixtral_tied": SmallModel(
        "mixtral",
        {
            **_CONFIG,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "head_dim": 64,
            "num_local_experts": 4,
            "tie_word_embeddings": True,
        },
        Mixtral,
        ("q0f32",),
    ),
}
