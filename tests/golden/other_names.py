"""Families that transformers has no code for: their tensors, and as another family's tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

_OF_PHI = (
    (r"lm_head\.ln\.", "model.final_layernorm."),
    (r"lm_head\.linear\.", "lm_head."),
    (r"transformer\.embd\.wte\.", "model.embed_tokens."),
    (r"transformer\.h\.", "model.layers."),
    (r"\.ln\.", ".input_layernorm."),
    (r"\.mixer\.out_proj\.", ".self_attn.dense."),
)


def phi_msft_shapes(config: Mapping[str, Any]) -> dict[str, list[int]]:
    """Returns the names and shapes of a checkpoint's tensors."""
    size, inner, vocab = config["n_embd"], config["n_inner"], config["vocab_size"]
    layers = [f"transformer.h.{layer}." for layer in range(config["n_layer"])]
    outputs = {"mixer.Wqkv": 3 * size, "mixer.out_proj": size, "mlp.fc1": inner, "mlp.fc2": size}
    shapes = {"transformer.embd.wte.weight": [vocab, size]}
    for prefix in layers:
        shapes |= {f"{prefix}ln.{kind}": [size] for kind in ("bias", "weight")}
        for name, rows in outputs.items():
            columns = inner if name == "mlp.fc2" else size
            shapes |= {f"{prefix}{name}.bias": [rows], f"{prefix}{name}.weight": [rows, columns]}
    shapes |= {f"lm_head.ln.{kind}": [size] for kind in ("bias", "weight")}
    return {**shapes, "lm_head.linear.bias": [vocab], "lm_head.linear.weight": [vocab, size]}


def phi_of_phi_msft(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the tensors of phi-msft as phi has them."""
    result = {}
    for name, value in tensors.items():
        for pattern, replacement in _OF_PHI:
            name = re.sub(pattern, replacement, name)
        if ".mixer.Wqkv." in name:
            for part, rows in zip("qkv", np.split(value, 3), strict=True):
                result[name.replace("mixer.Wqkv", f"self_attn.{part}_proj")] = rows
        else:
            result[name] = value
    return result


SHAPES = {"phi_msft": phi_msft_shapes}
OF_TRANSFORMERS = {"phi_msft": phi_of_phi_msft}
