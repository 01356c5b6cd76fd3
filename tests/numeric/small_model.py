"""What the tests know of a small model: its config, and an implementation that is not ours."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np


class Reference(Protocol):
    """A model in numpy."""

    def logits(self, tokens: list[int]) -> np.ndarray:
        """Returns ``(len(tokens), vocab_size)``."""


@dataclasses.dataclass(frozen=True)
class SmallModel:
    """A model of random weights.

    Attributes:
        model_type: Its family.
        model_config: The fields of mlc-chat-config.json's ``model_config``.
        reference: Takes the config and the weights: parameter's name, as in the unquantized
            model, to its values.
        quantizations: Those in which the tests of every family run it.
        active_vocab_size: Tokens from this one on have no meaning, and are never sampled.
    """

    model_type: str
    model_config: dict[str, Any]
    reference: Callable[[dict[str, Any], dict[str, np.ndarray]], Reference]
    quantizations: tuple[str, ...] = ("q0f32", "q4f16_1")
    active_vocab_size: int | None = None

    def chat_config(self, quantization: str) -> dict[str, Any]:
        """Returns mlc-chat-config.json."""
        return {
            "model_type": self.model_type,
            "quantization": quantization,
            "model_config": self.model_config,
            "active_vocab_size": self.active_vocab_size,
        }


SIZES = {
    "vocab_size": 517,
    "context_window_size": 256,
    "prefill_chunk_size": 64,
    "max_batch_size": 4,
}
"""Fields that every family has."""

LAYERS = {
    **SIZES,
    "hidden_size": 256,
    "intermediate_size": 480,
    "num_hidden_layers": 2,
}
"""Fields that most families have."""
