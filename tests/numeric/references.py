"""Families other than llama in numpy, float64, each written from its architecture alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.numeric.reference import Gemma, Llama, Mistral, Qwen, StableLM, causal_attention, rotate


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


class _LayerNormDecoder:
    """What the families with LayerNorm share: layers with biases, on float64 weights."""

    epsilon: float
    head_dim: int

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        self.config = config
        self.weights = {name: value.astype(np.float64) for name, value in weights.items()}

    def _linear(self, name: str, x: np.ndarray) -> np.ndarray:
        return x @ self.weights[f"{name}.weight"].T + self.weights.get(f"{name}.bias", 0)

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        centered = x - x.mean(-1, keepdims=True)
        deviation = np.sqrt((centered**2).mean(-1, keepdims=True) + self.epsilon)
        return centered / deviation * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def _attention(
        self, names: tuple[str, str], x: np.ndarray, rotary_dim: int, **options: Any
    ) -> np.ndarray:
        """Attention whose projection has as many key and value heads as are left."""
        qkv = self._linear(names[0], x).reshape(len(x), -1, self.head_dim)
        queries = self.weights[f"{names[1]}.weight"].shape[1] // self.head_dim
        groups = (qkv.shape[1] - queries) // 2
        query, key, value = np.split(qkv, [queries, queries + groups], 1)
        if rotary_dim:
            base = self.config["position_embedding_base"]
            frequencies = base ** (-np.arange(0, rotary_dim, 2) / rotary_dim)
            angles = np.arange(len(x))[:, None] * frequencies
            query, key = rotate(query, angles), rotate(key, angles)
        attended = causal_attention(query, key, value, **options)
        return self._linear(names[1], attended.reshape(len(x), -1))


class GPT2(_LayerNormDecoder):
    """Learned positions, attention and feed-forward in sequence."""

    def logits(self, tokens: Sequence[int]) -> np.ndarray:
        """Returns ``(len(tokens), vocab_size)``."""
        config, self.head_dim = self.config, self.config["head_dim"]
        self.epsilon = config["layer_norm_epsilon"]
        x = self.weights["transformer.wte.weight"][tokens]
        x = x + self.weights["transformer.wpe.weight"][: len(tokens)]
        for layer in range(config["n_layer"]):
            prefix = f"transformer.h.{layer}."
            names = (prefix + "attn.c_attn", prefix + "attn.c_proj")
            divisor = layer + 1 if config["scale_attn_by_inverse_layer_idx"] else 1
            scale = self.head_dim**-0.5 / divisor
            x = x + self._attention(names, self._norm(prefix + "ln_1", x), 0, scale=scale)
            inner = _gelu_tanh(self._linear(prefix + "mlp.c_fc", self._norm(prefix + "ln_2", x)))
            x = x + self._linear(prefix + "mlp.c_proj", inner)
        return self._linear("lm_head", self._norm("transformer.ln_f", x))


class GPTNeoX(_LayerNormDecoder):
    """Attention and feed-forward in sequence, or side by side."""

    def logits(self, tokens: Sequence[int]) -> np.ndarray:
        """Returns ``(len(tokens), vocab_size)``."""
        config, self.head_dim = self.config, self.config["head_dim"]
        self.epsilon = config["layer_norm_eps"]
        rotary_dim = int(self.head_dim * config["rotary_pct"])
        x = self.weights["gpt_neox.embed_in.weight"][tokens]
        for layer in range(config["num_hidden_layers"]):
            prefix = f"gpt_neox.layers.{layer}."
            names = (prefix + "attention.query_key_value", prefix + "attention.dense")
            attended = self._attention(names, self._norm(prefix + "input_layernorm", x), rotary_dim)
            before = x if config["use_parallel_residual"] else x + attended
            inner = self._norm(prefix + "post_attention_layernorm", before)
            inner = self._linear(prefix + "mlp.dense_h_to_4h", inner)
            inner = inner * (1 + _ERF(inner * math.sqrt(0.5))) / 2
            x = x + attended + self._linear(prefix + "mlp.dense_4h_to_h", inner)
        return self._linear("embed_out", self._norm("gpt_neox.final_layer_norm", x))


class Phi(_LayerNormDecoder):
    """Attention and feed-forward side by side, after one norm; two spellings of the config."""

    def logits(self, tokens: Sequence[int]) -> np.ndarray:
        """Returns ``(len(tokens), vocab_size)``."""
        config, self.head_dim = self.config, self.config["head_dim"]
        self.epsilon = config.get("layer_norm_eps") or config["layer_norm_epsilon"]
        share = config.get("partial_rotary_factor", 0)
        rotary_dim = config.get("rotary_dim") or int(self.head_dim * share)
        x = self.weights["transformer.embd.weight"][tokens]
        for layer in range(config.get("n_layer") or config["num_hidden_layers"]):
            prefix = f"transformer.h.{layer}."
            normed = self._norm(prefix + "ln", x)
            names = (prefix + "mixer.Wqkv", prefix + "mixer.out_proj")
            attended = self._attention(names, normed, rotary_dim)
            inner = _gelu_tanh(self._linear(prefix + "mlp.fc1", normed))
            x = x + attended + self._linear(prefix + "mlp.fc2", inner)
        return self._linear("lm_head.linear", self._norm("lm_head.ln", x))


def _gelu_tanh(x: np.ndarray) -> np.ndarray:
    return x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))) / 2


_ERF = np.vectorize(math.erf)

REFERENCES: dict[str, type] = {
    "gemma": Gemma,
    "gpt2": GPT2,
    "gpt_neox": GPTNeoX,
    "llama": Llama,
    "mistral": Mistral,
    "phi": Phi,
    "phi-msft": Phi,
    "phi3": Phi3,
    "qwen2": Qwen,
    "qwen3": Qwen,
    "stablelm": StableLM,
}
