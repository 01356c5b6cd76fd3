"""Models in numpy, float64, written from the architecture alone: no cache, no batching, no TVM."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np


class Llama:
    """Computes logits of a whole sequence at a time.

    Args:
        config: The fields of mlc-chat-config.json's ``model_config``.
        weights: Parameter's name, as in the unquantized model, to its values.
    """

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        self.config = config
        self.weights = {name: value.astype(np.float64) for name, value in weights.items()}

    def hidden_states(self, tokens: list[int]) -> np.ndarray:
        """Returns the final norm's output: ``(len(tokens), hidden_size)``."""
        config = self.config
        x = self.embeddings(tokens)
        for layer in range(config["num_hidden_layers"]):
            prefix = f"model.layers.{layer}."
            x = x + self._attention(prefix, self._norm(prefix + "input_layernorm", x))
            x = x + self._mlp(prefix, self._norm(prefix + "post_attention_layernorm", x))
        return self._norm("model.norm", x)

    def embeddings(self, tokens: list[int]) -> np.ndarray:
        """Returns the first layer's input: ``(len(tokens), hidden_size)``."""
        return self.weights["model.embed_tokens.weight"][tokens]

    def logits(self, tokens: list[int]) -> np.ndarray:
        """Returns ``(len(tokens), vocab_size)``."""
        name = "lm_head.weight" if "lm_head.weight" in self.weights else "model.embed_tokens.weight"
        return self.hidden_states(tokens) @ self.weights[name].T

    def frequencies(self) -> np.ndarray:
        """Returns RoPE's angle per position, of each pair of a head's dimensions."""
        config = self.config
        half = np.arange(0, config["head_dim"], 2)
        frequencies = config["position_embedding_base"] ** (-half / config["head_dim"])
        scaling = config.get("rope_scaling")
        if scaling is None:
            return frequencies
        # Llama 3: long waves are slowed down by the factor, short ones are left, those between
        # are interpolated.
        wavelengths = 2 * math.pi / frequencies
        waves = scaling["original_max_position_embeddings"] / wavelengths
        low, high = scaling["low_freq_factor"], scaling["high_freq_factor"]
        share = np.clip((waves - low) / (high - low), 0, 1)
        return (1 - share) * frequencies / scaling["factor"] + share * frequencies

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        mean_square = (x * x).mean(-1, keepdims=True)
        return x / np.sqrt(mean_square + self.config["rms_norm_eps"]) * self._weight(name)

    def _attention(self, prefix: str, x: np.ndarray) -> np.ndarray:
        config = self.config
        queries, groups = config["num_attention_heads"], config["num_key_value_heads"]
        tokens, size = len(x), config["head_dim"]
        qkv = self._heads(prefix, x).reshape(tokens, -1, size)
        out = np.zeros((tokens, queries, size))
        for past, new in self.passes(tokens):
            seen = qkv[[*past, *new]]
            query, key = self._rotate(seen[:, :queries]), self._rotate(seen[:, queries:-groups])
            out[new] = causal_attention(query, key, seen[:, -groups:])[len(past) :]
        return out.reshape(tokens, -1) @ self._weight(prefix + "self_attn.o_proj").T

    def _heads(self, prefix: str, x: np.ndarray) -> np.ndarray:
        """Returns query, key and value heads, all in one row a token."""
        name = prefix + "self_attn.qkv_proj"
        return x @ self._weight(name).T + self.weights.get(f"{name}.bias", 0)

    def passes(self, tokens: int) -> Iterator[tuple[list[int], list[int]]]:
        """Yields, for tokens that are computed at a time, ``(tokens before that they see, they)``.

        Of themselves they see those before; positions are counted among the tokens that are seen.
        """
        yield [], list(range(tokens))

    def _rotate(self, heads: np.ndarray) -> np.ndarray:
        angles = np.arange(len(heads))[:, None] * self.frequencies()
        return rotate(heads, angles)

    def _mlp(self, prefix: str, x: np.ndarray) -> np.ndarray:
        gate, up = np.split(x @ self._weight(prefix + "mlp.gate_up_proj").T, 2, -1)
        return (self.activation(gate) * up) @ self._weight(prefix + "mlp.down_proj").T

    def activation(self, gate: np.ndarray) -> np.ndarray:
        """Returns the function of the feed-forward layer's gate: SiLU."""
        return gate / (1 + np.exp(-gate))

    def _weight(self, name: str) -> np.ndarray:
        return self.weights[f"{name}.weight"]


class Gemma(Llama):
    """A llama with scaled embeddings and GELU; its norms' weights have one added already."""

    def embeddings(self, tokens: list[int]) -> np.ndarray:
        return super().embeddings(tokens) * math.sqrt(self.config["hidden_size"])

    def activation(self, gate: np.ndarray) -> np.ndarray:
        """Returns GELU's approximation by a hyperbolic tangent."""
        return gate / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (gate + 0.044715 * gate**3)))


class Mistral(Llama):
    """A llama that forgets the tokens that leave its window, all but the first ones.

    Attributes:
        window: How many tokens are kept between passes; None for all.
        sink: How many of them are the first of the sequence.
        lengths: Tokens of each pass.
    """

    window: int | None = None
    sink = 0
    lengths: Sequence[int] = ()

    def windowed(self, window: int, sink: int, lengths: Sequence[int]) -> Mistral:
        """Returns the model with other attributes."""
        result = copy.copy(self)
        result.window, result.sink, result.lengths = window, sink, lengths
        return result

    def passes(self, tokens: int) -> Iterator[tuple[list[int], list[int]]]:
        if self.window is None:
            yield from super().passes(tokens)
            return
        kept: list[int] = []
        first = 0
        for length in self.lengths:
            new = list(range(first, first + length))
            yield kept, new
            kept = [*kept, *new]
            if len(kept) > self.window:
                kept = [*kept[: self.sink], *kept[self.sink - self.window :]]
            first += length


class Qwen(Llama):
    """A qwen2 or a qwen3: with biases, and norms of query and key heads, where it has such."""

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        rope = {"position_embedding_base": config["rope_theta"], "rope_scaling": None}
        super().__init__({**config, **rope}, weights)

    def _heads(self, prefix: str, x: np.ndarray) -> np.ndarray:
        config = self.config
        name = prefix + "self_attn.c_attn"
        heads = x @ self._weight(name).T + self.weights.get(f"{name}.bias", 0)
        if f"{prefix}self_attn.q_norm.weight" not in self.weights:
            return heads
        heads = heads.reshape(len(x), -1, config["head_dim"])
        ends = np.cumsum([config["num_attention_heads"], config["num_key_value_heads"]])
        query, key, value = np.split(heads, ends, 1)
        query = self._norm(prefix + "self_attn.q_norm", query)
        key = self._norm(prefix + "self_attn.k_norm", key)
        return np.concatenate([query, key, value], 1)


class StableLM(Llama):
    """A llama with layer norms, whose heads are rotated at their beginning."""

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        size = config["hidden_size"] // config["num_attention_heads"]
        super().__init__({**config, "head_dim": size}, weights)
        self.rotary_dim = round(size * config["partial_rotary_factor"])

    def frequencies(self) -> np.ndarray:
        exponents = np.arange(0, self.rotary_dim, 2) / self.rotary_dim
        return self.config["rope_theta"] ** -exponents

    def _rotate(self, heads: np.ndarray) -> np.ndarray:
        rotated, rest = np.split(heads, [self.rotary_dim], -1)
        return np.concatenate([super()._rotate(rotated), rest], -1)

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        variance = (centred * centred).mean(-1, keepdims=True)
        normed = centred / np.sqrt(variance + self.config["layer_norm_eps"])
        return normed * self._weight(name) + self.weights[f"{name}.bias"]


def causal_attention(
    query: np.ndarray, key: np.ndarray, value: np.ndarray, scale: float | None = None
) -> np.ndarray:
    """Returns what each token's heads take from the tokens up to it.

    Args:
        query: ``(tokens, heads, size)``.
        key: ``(tokens, groups, size)``; consecutive query heads share a group.
        value: Like the keys.
        scale: Of the scores; ``size ** -0.5`` where None.
    """
    tokens, heads, size = query.shape
    scale = size**-0.5 if scale is None else scale
    out = np.zeros_like(query)
    for head in range(heads):
        group = head // (heads // key.shape[1])
        scores = query[:, head] @ key[:, group].T * scale
        scores[np.triu_indices(tokens, 1)] = -np.inf
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
