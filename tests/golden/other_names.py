"""Families whose tensors are compared with those of another family in transformers."""

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


def internlm2_shapes(config: Mapping[str, Any]) -> dict[str, list[int]]:
    """Returns the names and shapes of a checkpoint's tensors."""
    size, inner, vocab = (
        config[field] for field in ("hidden_size", "intermediate_size", "vocab_size")
    )
    heads, groups = config["num_attention_heads"], config["num_key_value_heads"]
    shapes = {"model.tok_embeddings.weight": [vocab, size]}
    for layer in range(config["num_hidden_layers"]):
        shapes |= {
            f"model.layers.{layer}.{name}.weight": shape
            for name, shape in {
                "attention.wo": [size, size],
                "attention.wqkv": [size // heads * (heads + 2 * groups), size],
                "attention_norm": [size],
                "feed_forward.w1": [inner, size],
                "feed_forward.w2": [size, inner],
                "feed_forward.w3": [inner, size],
                "ffn_norm": [size],
            }.items()
        }
    return {**shapes, "model.norm.weight": [size], "output.weight": [vocab, size]}


_OF_LLAMA = (
    (r"^output\.", "lm_head."),
    (r"tok_embeddings", "embed_tokens"),
    (r"\.attention\.wo\.", ".self_attn.o_proj."),
    (r"attention_norm", "input_layernorm"),
    (r"ffn_norm", "post_attention_layernorm"),
    (r"feed_forward\.w1", "mlp.gate_proj"),
    (r"feed_forward\.w2", "mlp.down_proj"),
    (r"feed_forward\.w3", "mlp.up_proj"),
)


def llama_of_internlm2(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the tensors of internlm2 as llama has them: of 4 query heads, 2 share a key."""
    result = {}
    for name, value in tensors.items():
        for pattern, replacement in _OF_LLAMA:
            name = re.sub(pattern, replacement, name)
        if ".attention.wqkv." in name:
            columns = value.shape[1]
            heads = value.reshape(2, 4, 32, columns)
            for part, rows in zip("qkv", np.split(heads, [2, 3], 1), strict=True):
                target = name.replace("attention.wqkv", f"self_attn.{part}_proj")
                result[target] = rows.reshape(-1, columns)
        else:
            result[name] = value
    return result


_TEXT = "language_model."


def gemma3_shapes(config: Mapping[str, Any]) -> dict[str, list[int]]:
    """Returns the names and shapes of a checkpoint's tensors, one that sees images among them."""
    text = config["text_config"]
    size, inner, head = text["hidden_size"], text["intermediate_size"], text["head_dim"]
    queries, keys = head * text["num_attention_heads"], head * text["num_key_value_heads"]
    norms = ["input", "post_attention", "post_feedforward", "pre_feedforward"]
    of_layer = {
        **{f"{norm}_layernorm": [size] for norm in norms},
        "mlp.down_proj": [size, inner],
        "mlp.gate_proj": [inner, size],
        "mlp.up_proj": [inner, size],
        "self_attn.k_norm": [head],
        "self_attn.k_proj": [keys, size],
        "self_attn.o_proj": [size, queries],
        "self_attn.q_norm": [head],
        "self_attn.q_proj": [queries, size],
        "self_attn.v_proj": [keys, size],
    }
    shapes = {
        f"{_TEXT}model.layers.{layer}.{name}.weight": shape
        for layer in range(text["num_hidden_layers"])
        for name, shape in of_layer.items()
    }
    return {
        **shapes,
        f"{_TEXT}model.embed_tokens.weight": [text["vocab_size"], size],
        f"{_TEXT}model.norm.weight": [size],
        "multi_modal_projector.mm_soft_emb_norm.weight": [24],
    }


def gemma3_text_of_gemma3(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Returns the tensors of gemma3 as gemma3_text has them."""
    return {
        name.removeprefix(_TEXT): value for name, value in tensors.items() if name.startswith(_TEXT)
    }


SHAPES = {
    "gemma3": gemma3_shapes,
    "internlm2": internlm2_shapes,
    "phi_msft": phi_msft_shapes,
}
OF_TRANSFORMERS = {
    "gemma3": gemma3_text_of_gemma3,
    "internlm2": llama_of_internlm2,
    "phi_msft": phi_of_phi_msft,
}
