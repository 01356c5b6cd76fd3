"""Llama, whose reference is the base of the families that resemble it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.numeric.numpy_layers import causal_attention, rms_norm, rotate, silu
from tests.numeric.small_model import LAYERS, SmallModel


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
        x = self.embeddings(tokens)
        for layer in range(self.config["num_hidden_layers"]):
            x = self.layer(layer, f"model.layers.{layer}.", x)
        return self.norm("model.norm", x)

    def embeddings(self, tokens: list[int]) -> np.ndarray:
        """Returns the first layer's input: ``(len(tokens), hidden_size)``."""
        return self.weights["model.embed_tokens.weight"][tokens]

    def layer(self, layer: int, prefix: str, x: np.ndarray) -> np.ndarray:
        """Returns a layer's output; `prefix` is that of its parameters."""
        x = x + self.attention(layer, prefix, self.norm(prefix + "input_layernorm", x))
        return x + self.mlp(prefix, self.norm(prefix + "post_attention_layernorm", x))

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

    def norm(self, name: str, x: np.ndarray) -> np.ndarray:
        """Returns the norm of that name."""
        return rms_norm(x, self.weight(name), self.config["rms_norm_eps"])

    def attention(self, layer: int, prefix: str, x: np.ndarray) -> np.ndarray:
        """Returns a layer's attention, with its projections."""
        config = self.config
        queries, groups = config["num_attention_heads"], config["num_key_value_heads"]
        tokens, size = len(x), config["head_dim"]
        qkv = self.heads(prefix, x).reshape(tokens, -1, size)
        out = np.zeros((tokens, queries, size))
        for past, new in self.passes(tokens):
            seen = qkv[[*past, *new]]
            query, key = self.rotated(seen[:, :queries]), self.rotated(seen[:, queries:-groups])
            out[new] = causal_attention(query, key, seen[:, -groups:])[len(past) :]
        bias = self.weights.get(prefix + "self_attn.o_proj.bias", 0)
        return out.reshape(tokens, -1) @ self.weight(prefix + "self_attn.o_proj").T + bias

    def heads(self, prefix: str, x: np.ndarray) -> np.ndarray:
        """Returns query, key and value heads, all in one row a token."""
        name = prefix + "self_attn.qkv_proj"
        return x @ self.weight(name).T + self.weights.get(f"{name}.bias", 0)

    def passes(self, tokens: int) -> Iterator[tuple[list[int], list[int]]]:
        """Yields, for tokens that are computed at a time, ``(tokens before that they see, they)``.

        Of themselves they see those before; positions are counted among the tokens that are seen.
        """
        yield [], list(range(tokens))

    def rotated(self, heads: np.ndarray) -> np.ndarray:
        """Returns the heads of consecutive positions with their rotary embedding."""
        return rotate(heads, np.arange(len(heads))[:, None] * self.frequencies())

    def mlp(self, prefix: str, x: np.ndarray) -> np.ndarray:
        """Returns a layer's feed-forward part."""
        gate, up = np.split(x @ self.weight(prefix + "mlp.gate_up_proj").T, 2, -1)
        return (self.activation(gate) * up) @ self.weight(prefix + "mlp.down_proj").T

    def activation(self, gate: np.ndarray) -> np.ndarray:
        """Returns the function of the feed-forward layer's gate."""
        return silu(gate)

    def weight(self, name: str) -> np.ndarray:
        """Returns the parameter ``name.weight``."""
        return self.weights[f"{name}.weight"]


LLAMA = {**LAYERS, "rms_norm_eps": 1e-5, "position_embedding_base": 10000.0}
"""Fields that the small models of families like llama share."""

MODELS = {
    "grouped": SmallModel(
        "llama",
        {
            **LLAMA,
            "num_attention_heads": 8,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "tie_word_embeddings": True,
            # Of the 16 frequencies, some are slowed down, some interpolated and some left.
            "rope_scaling": {
                "rope_type": "llama3",
                "factor": 8.0,
                "low_freq_factor": 1.0,
                "high_freq_factor": 4.0,
                "original_max_position_embeddings": 64,
            },
        },
        Llama,
        ("q0f32", "q0f16", "q0bf16", "q3f16_1", "q4bf16_1", "q4f16_1", "q4f32_1"),
    ),
    "multi_head": SmallModel(
        "llama",
        {
            **LLAMA,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "head_dim": 64,
            "tie_word_embeddings": False,
            "rope_scaling": None,
        },
        Llama,
        ("q0f32", "q3f16_0", "q4f16_0", "q4f16_1"),
        active_vocab_size=500,
    ),
}
