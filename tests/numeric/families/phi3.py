"""Phi3: a llama whose weights have other names, and whose RoPE has two factors a frequency."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.numeric.families.llama import LLAMA, Llama
from tests.numeric.numpy_layers import rotate
from tests.numeric.small_model import SmallModel


class Phi3(Llama):
    """A llama but for the rotary embedding."""

    _NAMES = (
        ("transformer.embd", "model.embed_tokens"),
        ("transformer.h.", "model.layers."),
        ("transformer.norm", "model.norm"),
        (".mixer.qkv_proj", ".self_attn.qkv_proj"),
        (".mixer.out_proj", ".self_attn.o_proj"),
        (".ln.", ".input_layernorm."),
    )

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        renamed = {}
        for name, value in weights.items():
            for theirs, of_llama in self._NAMES:
                name = name.replace(theirs, of_llama)
            renamed[name] = value
        super().__init__(config, renamed)
        self.calls: Sequence[int] = ()

    def logits_of_calls(self, tokens: Sequence[int], calls: Sequence[int]) -> np.ndarray:
        """Returns the logits where tokens come in calls of these lengths.

        The calls matter: one that passes the original length takes the long factors, and does not
        rotate again what earlier calls have rotated by the short ones.
        """
        self.calls = calls
        try:
            return self.logits(tokens)
        finally:
            self.calls = ()

    def rotated(self, heads: np.ndarray) -> np.ndarray:
        config, scaling = self.config, self.config["rope_scaling"]
        original = config["original_max_position_embeddings"]
        size = int(config["head_dim"] * config["partial_rotary_factor"])
        frequencies = config["position_embedding_base"] ** (-np.arange(0, size, 2) / size)
        calls = self.calls or [len(heads)]
        passes = np.repeat(np.cumsum(calls) > original, calls)
        factors = np.where(passes[:, None], scaling["long_factor"], scaling["short_factor"])
        angles = np.arange(len(heads))[:, None] * frequencies / factors
        growth = config["max_position_embeddings"] / original
        amplitude = math.sqrt(1 + math.log(growth) / math.log(original))
        rotated = rotate(heads, angles)
        rotated[..., :size] *= amplitude
        return rotated


_CONFIG = {
    **LLAMA,
    "prefill_chunk_size": 128,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 32,
    "partial_rotary_factor": 0.75,
    "max_position_embeddings": 768,
    # One factor for each of the 12 frequencies of 24 rotated dimensions.
    "rope_scaling": {
        "type": "su",
        "long_factor": [1.1, 1.3, 1.8, 2.5, 3.5, 5.0, 7.0, 10.0, 14.0, 19.0, 25.0, 32.0],
        "short_factor": [1.0, 1.0, 1.1, 1.2, 1.2, 1.3, 1.5, 1.7, 1.9, 2.0, 2.2, 2.5],
    },
}

MODELS = {
    "phi3": SmallModel(
        "phi3",
        {**_CONFIG, "original_max_position_embeddings": 192, "tie_word_embeddings": False},
        Phi3,
    ),
    # Has tests of its own.
    "phi3_long": SmallModel(
        "phi3",
        {**_CONFIG, "original_max_position_embeddings": 48, "tie_word_embeddings": True},
        Phi3,
        (),
    ),
}
