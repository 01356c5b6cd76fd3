"""Draws the next token from logits."""

from __future__ import annotations

import numpy as np


def sample(
    logits: np.ndarray, temperature: float, top_p: float, generator: np.random.Generator
) -> int:
    """Draws a token id.

    Args:
        logits: (vocabulary,), float.
        temperature: divides the logits; 0 takes the most likely token.
        top_p: in (0, 1]; only the most likely tokens that together reach it take part.
        generator: the source of randomness; equal states draw equal tokens.

    Returns:
        The token's id.
    """
    if temperature == 0:
        return int(logits.argmax())
    scaled = (logits - logits.max()).astype(np.float64) / temperature
    probabilities = np.exp(scaled)
    order = np.argsort(-probabilities, kind="stable")
    cumulative = np.cumsum(probabilities[order])
    kept = int(np.searchsorted(cumulative, top_p * cumulative[-1])) + 1
    cumulative = cumulative[:kept]
    drawn = np.searchsorted(cumulative, generator.random() * cumulative[-1], side="right")
    return int(order[min(drawn, len(cumulative) - 1)])
