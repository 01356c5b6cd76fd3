"""InternLM 2: a llama with other names, whose attention may have biases."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.numeric.families.llama import Llama
from tests.numeric.small_model import LAYERS, SmallModel

NAMES = {
    "tok_embeddings": "embed_tokens",
    "attention.wqkv": "self_attn.qkv_proj",
    "attention.wo": "self_attn.o_proj",
    "feed_forward.gate_up_proj": "mlp.gate_up_proj",
    "feed_forward.w2": "mlp.down_proj",
    "attention_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
}
"""Parts of parameters' names, and a llama's names for them."""


class InternLM2(Llama):
    """A llama by another name."""

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        renamed = {}
        for name, value in weights.items():
            for part, other in NAMES.items():
                name = name.replace(part, other)
            renamed["lm_head.weight" if name == "output.weight" else name] = value
        super().__init__({**config, "position_embedding_base": config["rope_theta"]}, renamed)


_CONFIG = {**LAYERS, "rms_norm_eps": 1e-5, "rope_theta": 1e6}

MODELS = {
    "internlm2": SmallModel(
        "internlm2",
        {
            **_CONFIG,
            "num_attention_heads": 8,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "bias": False,
        },
        InternLM2,
    ),
    "internlm2_biased": SmallModel(
        "internlm2",
        {
            **_CONFIG,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "head_dim": 64,
            "bias": True,
        },
        InternLM2,
        ("q0f32",),
    ),
}
