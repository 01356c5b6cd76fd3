"""Gemma: scaled embeddings, another activation than a llama's, and large heads."""

from __future__ import annotations

import math

import numpy as np

from tests.numeric.families.llama import LLAMA, Llama
from tests.numeric.numpy_layers import gelu_tanh
from tests.numeric.small_model import SmallModel


class Gemma(Llama):
    """Its norms' weights have one added already."""

    def embeddings(self, tokens: list[int]) -> np.ndarray:
        return super().embeddings(tokens) * math.sqrt(self.config["hidden_size"])

    def activation(self, gate: np.ndarray) -> np.ndarray:
        return gelu_tanh(gate)


MODELS = {
    "gemma": SmallModel(
        "gemma",
        {
            **LLAMA,
            "num_attention_heads": 4,
            "num_key_value_heads": 1,
            # A head is larger than hidden_size / num_attention_heads.
            "head_dim": 256,
            "hidden_act": "gelu",
            "attention_bias": False,
        },
        Gemma,
    ),
}
