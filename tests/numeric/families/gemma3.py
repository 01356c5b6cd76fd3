"""Gemma3: a gemma2 with norms of heads, and windows and rotary embeddings by the kind of layer."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.numeric.families.gemma2 import Gemma2
from tests.numeric.numpy_layers import rotate
from tests.numeric.small_model import LAYERS, SmallModel

_DEFAULTS = {
    "attn_logit_softcapping": None,
    "final_logit_softcapping": None,
    "rms_norm_eps": 1e-6,
    "rope_local_base_freq": 10000.0,
    "rope_scaling": None,
    "rope_theta": 1e6,
}


class Gemma3(Gemma2):
    """Its norms' weights have one added already."""

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        prefix = "language_model."
        fields = {**_DEFAULTS, **config, **config.get("text_config", {})}
        super().__init__(
            fields, {name.removeprefix(prefix): value for name, value in weights.items()}
        )

    def heads(self, prefix: str, x: np.ndarray) -> np.ndarray:
        heads = []
        for name in ("q", "k", "v"):
            projected = x @ self.weight(f"{prefix}self_attn.{name}_proj").T
            projected = projected.reshape(len(x), -1, self.config["head_dim"])
            if name != "v":
                projected = self.norm(f"{prefix}self_attn.{name}_norm", projected)
            heads.append(projected)
        return np.concatenate(heads, 1)

    def rotated_of_layer(
        self, layer: int, query: np.ndarray, key: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        config, scaling = self.config, self.config["rope_scaling"]
        theta, factor = config["rope_local_base_freq"], 1.0
        if not self.has_window(layer):
            theta, factor = config["rope_theta"], scaling["factor"] if scaling else 1.0
        size = config["head_dim"]
        frequencies = theta ** (-np.arange(0, size, 2) / size) / factor
        angles = np.arange(len(query))[:, None] * frequencies
        return rotate(query, angles), rotate(key, angles)

    def has_window(self, layer: int) -> bool:
        return (layer + 1) % self.config["sliding_window_pattern"] != 0


_TEXT = {
    "hidden_size": 256,
    "intermediate_size": 480,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "query_pre_attn_scalar": 48,
    "sliding_window": 21,
    "sliding_window_pattern": 2,
}

MODELS = {
    "gemma3_text": SmallModel(
        "gemma3_text",
        {**LAYERS, **_TEXT, "num_key_value_heads": 1, "sliding_window_pattern": 3},
        Gemma3,
    ),
    "gemma3": SmallModel(
        "gemma3",
        {
            "text_config": {
                **_TEXT,
                "rope_theta": 5e5,
                "rope_local_base_freq": 2e4,
                "rope_scaling": {"rope_type": "linear", "factor": 8.0},
            },
            "vocab_size": 517,
            "context_window_size": 256,
            "prefill_chunk_size": 64,
            "max_batch_size": 4,
        },
        Gemma3,
    ),
}
