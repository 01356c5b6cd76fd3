"""Gemma2: a gemma with capped scores and logits, more norms, and a window in every other layer."""

from __future__ import annotations

import numpy as np

from tests.numeric.families.gemma import Gemma
from tests.numeric.families.llama import LLAMA
from tests.numeric.numpy_layers import causal_attention
from tests.numeric.small_model import SmallModel


def softcap(x: np.ndarray, cap: float | None) -> np.ndarray:
    """Returns numbers below `cap`; the same where there is none."""
    return x if cap is None else cap * np.tanh(x / cap)


class Gemma2(Gemma):
    """Its norms' weights have one added already."""

    def layer(self, layer: int, prefix: str, x: np.ndarray) -> np.ndarray:
        attended = self.attention(layer, prefix, self.norm(prefix + "input_layernorm", x))
        x = x + self.norm(prefix + "post_attention_layernorm", attended)
        fed = self.mlp(prefix, self.norm(prefix + "pre_feedforward_layernorm", x))
        return x + self.norm(prefix + "post_feedforward_layernorm", fed)

    def attention(self, layer: int, prefix: str, x: np.ndarray) -> np.ndarray:
        config = self.config
        queries, groups = config["num_attention_heads"], config["num_key_value_heads"]
        qkv = self.heads(prefix, x).reshape(len(x), -1, config["head_dim"])
        query, key, value = np.split(qkv, [queries, queries + groups], 1)
        out = causal_attention(
            *self.rotated_of_layer(layer, query, key),
            value,
            config["query_pre_attn_scalar"] ** -0.5,
            window=config["sliding_window"] if self.has_window(layer) else None,
            transform=lambda scores: softcap(scores, config["attn_logit_softcapping"]),
        )
        return out.reshape(len(x), -1) @ self.weight(prefix + "self_attn.o_proj").T

    def rotated_of_layer(
        self, layer: int, query: np.ndarray, key: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns queries and keys with the rotary embedding of a layer."""
        return self.rotated(query), self.rotated(key)

    def has_window(self, layer: int) -> bool:
        """Returns whether the layer, counted from 0, sees no more than the window."""
        return layer % 2 == 0

    def logits(self, tokens: list[int]) -> np.ndarray:
        return softcap(super().logits(tokens), self.config["final_logit_softcapping"])


_CONFIG = {
    **LLAMA,
    "rms_norm_eps": 1e-6,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "hidden_activation": "gelu_pytorch_tanh",
    "query_pre_attn_scalar": 48,
    # Less than a prefill of the tests; neither a multiple of a page nor of a tile.
    "sliding_window": 21,
}

MODELS = {
    # Caps of the size of what they bound, which they would else leave as it is.
    "gemma2": SmallModel(
        "gemma2",
        {**_CONFIG, "attn_logit_softcapping": 2.0, "final_logit_softcapping": 3.0},
        Gemma2,
    ),
    "gemma2_uncapped": SmallModel(
        "gemma2",
        {**_CONFIG, "attn_logit_softcapping": None, "final_logit_softcapping": None},
        Gemma2,
        ("q0f32",),
    ),
}
