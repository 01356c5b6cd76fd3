"""What the references are made of: numpy, float64, no cache, no batching, no TVM."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def causal_attention(
    query: np.ndarray,
    key: np.ndarray,
    value: np.ndarray,
    scale: float | None = None,
    *,
    window: int | None = None,
    transform: Callable[[np.ndarray], np.ndarray] = lambda scores: scores,
) -> np.ndarray:
    """Returns what each token's heads take from the tokens up to it.

    Args:
        query: ``(tokens, heads, size)``.
        key: ``(tokens, groups, size)``; consecutive query heads share a group.
        value: Like the keys.
        scale: Of the scores; ``size ** -0.5`` where None.
        window: How many tokens, itself among them, a token sees; None for all.
        transform: Applied to the scaled scores.
    """
    tokens, heads, size = query.shape
    scale = size**-0.5 if scale is None else scale
    out = np.zeros_like(query)
    for head in range(heads):
        group = head // (heads // key.shape[1])
        scores = transform(query[:, head] @ key[:, group].T * scale)
        scores[np.triu_indices(tokens, 1)] = -np.inf
        if window is not None:
            scores[np.tril_indices(tokens, -window)] = -np.inf
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        out[:, head] = scores / scores.sum(-1, keepdims=True) @ value[:, group]
    return out


def rotate(heads: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """Rotates pairs of a head's first dimensions, as many as there are angles; the rest stays.

    Args:
        heads: ``(tokens, heads, size)``.
        angles: ``(tokens, pairs)``; a pair is dimensions ``i`` and ``pairs + i``.
    """
    pairs = angles.shape[1]
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    first, second = heads[..., :pairs], heads[..., pairs : 2 * pairs]
    turned = [first * cos - second * sin, second * cos + first * sin]
    return np.concatenate([*turned, heads[..., 2 * pairs :]], -1)


def rms_norm(x: np.ndarray, weight: np.ndarray, epsilon: float) -> np.ndarray:
    """Returns rows of mean square 1, times the weight."""
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + epsilon) * weight


def layer_norm(
    x: np.ndarray, weight: np.ndarray, bias: np.ndarray | float, epsilon: float
) -> np.ndarray:
    """Returns rows of mean 0 and variance 1, times the weight, plus the bias."""
    centered = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt((centered**2).mean(-1, keepdims=True) + epsilon)
    return centered / deviation * weight + bias


def silu(x: np.ndarray) -> np.ndarray:
    """Returns ``x * sigmoid(x)``."""
    return x / (1 + np.exp(-x))


def gelu(x: np.ndarray) -> np.ndarray:
    """Returns GELU by the error function."""
    return x * (1 + np.vectorize(math.erf)(x * math.sqrt(0.5))) / 2


def gelu_tanh(x: np.ndarray) -> np.ndarray:
    """Returns GELU's approximation by a hyperbolic tangent."""
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


def mixture_of_experts(
    x: np.ndarray,
    gate: np.ndarray,
    gate_up: np.ndarray,
    down: np.ndarray,
    chosen: int,
    *,
    renormalise: bool,
) -> np.ndarray:
    """Returns what the experts of each token make of it.

    Args:
        x: ``(tokens, size)``.
        gate: ``(experts, size)``.
        gate_up: ``(experts, 2 * inner, size)``.
        down: ``(experts, size, inner)``.
        chosen: How many experts a token is sent to: those that the gate rates best.
        renormalise: Whether a token's weights are made to sum to 1.
    """
    logits = x @ gate.T
    chances = np.exp(logits - logits.max(-1, keepdims=True))
    chances /= chances.sum(-1, keepdims=True)
    out = np.zeros_like(x)
    for token, row in enumerate(chances):
        best = np.argsort(-row, kind="stable")[:chosen]
        total = row[best].sum() if renormalise else 1
        for expert in best:
            first, second = np.split(gate_up[expert] @ x[token], 2)
            out[token] += row[expert] / total * (down[expert] @ (silu(first) * second))
    return out


class LayerNormDecoder:
    """What the families that came before llama share: layer norms and biases.

    Args:
        config: The fields of mlc-chat-config.json's ``model_config``.
        weights: Parameter's name, as in the unquantized model, to its values.

    Attributes:
        epsilon: The config's field of that meaning; a family says which.
    """

    epsilon = "layer_norm_eps"

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        self.config = config
        self.weights = {name: value.astype(np.float64) for name, value in weights.items()}

    def linear(self, name: str, x: np.ndarray) -> np.ndarray:
        """Returns ``x @ weight.T + bias``, the bias where there is one."""
        return x @ self.weights[f"{name}.weight"].T + self.weights.get(f"{name}.bias", 0)

    def norm(self, name: str, x: np.ndarray) -> np.ndarray:
        """Returns the layer norm of that name."""
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return layer_norm(x, weight, bias, self.config[self.epsilon])

    def attention(
        self, names: tuple[str, str], x: np.ndarray, rotary_dim: int, **options: Any
    ) -> np.ndarray:
        """Attention whose first layer has as many key and value heads as the queries leave.

        Args:
            names: Of the layers before and after.
            x: ``(tokens, size)``.
            rotary_dim: How much of a head is rotated.
            options: Of `causal_attention`.
        """
        head_dim = self.config["head_dim"]
        qkv = self.linear(names[0], x).reshape(len(x), -1, head_dim)
        queries = self.weights[f"{names[1]}.weight"].shape[1] // head_dim
        groups = (qkv.shape[1] - queries) // 2
        query, key, value = np.split(qkv, [queries, queries + groups], 1)
        if rotary_dim:
            base = self.config["position_embedding_base"]
            frequencies = base ** (-np.arange(0, rotary_dim, 2) / rotary_dim)
            angles = np.arange(len(x))[:, None] * frequencies
            query, key = rotate(query, angles), rotate(key, angles)
        attended = causal_attention(query, key, value, **options)
        return self.linear(names[1], attended.reshape(len(x), -1))
