"""Qwen3 with experts."""

from __future__ import annotations

import numpy as np

from tests.numeric.families.llama import LLAMA
from tests.numeric.families.qwen2_moe import experts
from tests.numeric.families.qwen3 import Qwen3
from tests.numeric.small_model import SmallModel


class Qwen3Moe(Qwen3):
    """All of a layer's experts are chosen among."""

    def mlp(self, prefix: str, x: np.ndarray) -> np.ndarray:
        return experts(self, prefix, x)


MODELS = {
    # Heads that together are longer than the vector of a token.
    "qwen3_moe": SmallModel(
        "qwen3_moe",
        {
            **LLAMA,
            "num_attention_heads": 6,
            "num_key_value_heads": 3,
            "head_dim": 64,
            "rope_theta": 1e6,
            "attention_bias": False,
            "moe_intermediate_size": 96,
            "num_experts": 16,
            "num_experts_per_tok": 4,
            "norm_topk_prob": True,
        },
        Qwen3Moe,
    ),
}
