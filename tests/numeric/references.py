"""Families other than llama in numpy, float64, each written from its architecture alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.numeric.reference import Gemma, Llama, Mistral, rotate


class Phi3(Llama):
    """A llama whose weights have other names, and whose RoPE has two factors a frequency."""

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

    def _rotate(self, heads: np.ndarray) -> np.ndarray:
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


REFERENCES: dict[str, type[Llama]] = {
    "gemma": Gemma,
    "llama": Llama,
    "mistral": Mistral,
    "phi3": Phi3,
}
