"""StableLM: a llama with layer norms, whose heads are rotated at their beginning."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.numeric.families.llama import LLAMA, Llama
from tests.numeric.numpy_layers import layer_norm
from tests.numeric.small_model import SmallModel


class StableLM(Llama):
    """A llama but for norms and the rotary embedding."""

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        size = config["hidden_size"] // config["num_attention_heads"]
        super().__init__({**config, "head_dim": size}, weights)

    def frequencies(self) -> np.ndarray:
        config = self.config
        rotary_dim = round(config["head_dim"] * config["partial_rotary_factor"])
        return config["rope_theta"] ** -(np.arange(0, rotary_dim, 2) / rotary_dim)

    def norm(self, name: str, x: np.ndarray) -> np.ndarray:
        bias = self.weights[f"{name}.bias"]
        return layer_norm(x, self.weight(name), bias, self.config["layer_norm_eps"])


_CONFIG = {**LLAMA, "layer_norm_eps": 1e-5, "rope_theta": 10000}

MODELS = {
    "stablelm": SmallModel(
        "stablelm",
        {
            **_CONFIG,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "partial_rotary_factor": 0.25,
        },
        StableLM,
    ),
    "grouped_stablelm": SmallModel(
        "stablelm",
        {
            **_CONFIG,
            "num_attention_heads": 8,
            "num_key_value_heads": 2,
            "partial_rotary_factor": 0.5,
            "use_qkv_bias": True,
        },
        StableLM,
    ),
}
