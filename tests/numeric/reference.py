"""A llama in numpy, float64, written from the architecture alone: no cache, no batching, no TVM."""

from __future__ import annotations

import math
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
        x = self.weights["model.embed_tokens.weight"][tokens]
        for layer in range(config["num_hidden_layers"]):
            prefix = f"model.layers.{layer}."
            x = x + self._attention(prefix, self._norm(prefix + "input_layernorm", x))
            x = x + self._mlp(prefix, self._norm(prefix + "post_attention_layernorm", x))
        return self._norm("model.norm", x)

    def logits(self, tokens: list[int]) -> np.ndarray:
        """Returns ``(len(tokens), vocab_size)``."""
        tied = self.config["tie_word_embeddings"]
        name = "model.embed_tokens.weight" if tied else "lm_head.weight"
        return self.hidden_states(tokens) @ self.weights[name].T

    def frequencies(self) -> np.ndarray:
        """Returns RoPE's angle per position, of each pair of a head's dimensions."""
        config = self.config
        half = np.arange(0, config["head_dim"], 2)
        frequencies = config["position_embedding_base"] ** (-half / config["head_dim"])
        scaling = config["rope_scaling"]
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
        query, key = self._rotate(qkv[:, :queries]), self._rotate(qkv[:, queries:-groups])
        value = qkv[:, -groups:]
        out = np.zeros((tokens, queries, size))
        for head in range(queries):
            group = head // (queries // groups)
            scores = query[:, head] @ key[:, group].T / math.sqrt(size)
            scores[np.triu_indices(tokens, 1)] = -np.inf
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            out[:, head] = scores / scores.sum(-1, keepdims=True) @ value[:, group]
        return out.reshape(tokens, -1) @ self._weight(prefix + "self_attn.o_proj").T

    def _heads(self, prefix: str, x: np.ndarray) -> np.ndarray:
        """Returns query, key and value heads, all in one row a token."""
        return x @ self._weight(prefix + "self_attn.qkv_proj").T

    def _rotate(self, heads: np.ndarray) -> np.ndarray:
        angles = np.arange(len(heads))[:, None] * self.frequencies()
        cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
        first, second = np.split(heads, 2, -1)
        return np.concatenate([first * cos - second * sin, second * cos + first * sin], -1)

    def _mlp(self, prefix: str, x: np.ndarray) -> np.ndarray:
        gate, up = np.split(x @ self._weight(prefix + "mlp.gate_up_proj").T, 2, -1)
        return (gate / (1 + np.exp(-gate)) * up) @ self._weight(prefix + "mlp.down_proj").T

    def _weight(self, name: str) -> np.ndarray:
        return self.weights[f"{name}.weight"]


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


REFERENCES = {"llama": Llama, "qwen2": Qwen, "qwen3": Qwen}
"""Model type to its reference."""
