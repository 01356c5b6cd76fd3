"""StarCoder 2: a llama's rotary embedding and groups, GPT-2's norms, biases and feed-forward."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.numeric.numpy_layers import LayerNormDecoder, gelu_tanh
from tests.numeric.small_model import LAYERS, SmallModel


class Starcoder2(LayerNormDecoder):
    """All linear layers but the last may have biases."""

    epsilon = "norm_epsilon"

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        super().__init__({**config, "position_embedding_base": config["rope_theta"]}, weights)

    def logits(self, tokens: list[int]) -> np.ndarray:
        """Returns ``(len(tokens), vocab_size)``."""
        x = self.weights["model.embed_tokens.weight"][tokens]
        for layer in range(self.config["num_hidden_layers"]):
            prefix = f"model.layers.{layer}."
            names = (prefix + "self_attn.wqkv_pack", prefix + "self_attn.o_proj")
            normal = self.norm(prefix + "input_layernorm", x)
            x = x + self.attention(names, normal, self.config["head_dim"])
            normal = self.norm(prefix + "post_attention_layernorm", x)
            inner = gelu_tanh(self.linear(prefix + "mlp.c_fc", normal))
            x = x + self.linear(prefix + "mlp.c_proj", inner)
        return self.linear("lm_head", self.norm("model.norm", x))


_CONFIG = {**LAYERS, "norm_epsilon": 1e-5, "rope_theta": 1e5}

MODELS = {
    "starcoder2": SmallModel(
        "starcoder2",
        {
            **_CONFIG,
            "num_attention_heads": 8,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "use_bias": True,
        },
        Starcoder2,
        ("q0f32", "q4f16_1", "q4bf16_1"),
    ),
    "starcoder2_plain": SmallModel(
        "starcoder2",
        {
            **_CONFIG,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "head_dim": 64,
            "use_bias": False,
        },
        Starcoder2,
        ("q0f32",),
    ),
}
