"""Small models that together have every feature of their families."""

from __future__ import annotations

from typing import Any

_COMMON = {
    "hidden_size": 256,
    "intermediate_size": 480,
    "num_hidden_layers": 2,
    "rms_norm_eps": 1e-5,
    "vocab_size": 517,
    "position_embedding_base": 10000.0,
    "context_window_size": 256,
    "prefill_chunk_size": 64,
    "tensor_parallel_shards": 1,
    "pipeline_parallel_stages": 1,
    "max_batch_size": 4,
    "disaggregation": False,
}

MODELS: dict[str, dict[str, Any]] = {
    "grouped": {
        **_COMMON,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "tie_word_embeddings": True,
        # Of the 16 frequencies, some are slowed down, some interpolated and some left as they are.
        "rope_scaling": {
            "rope_type": "llama3",
            "factor": 8.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
    },
    "multi_head": {
        **_COMMON,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "head_dim": 64,
        "tie_word_embeddings": False,
        "rope_scaling": None,
    },
    "qwen2_tied": {
        **_COMMON,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "head_dim": 32,
        "rope_theta": 1e6,
        "tie_word_embeddings": True,
    },
    "qwen2_untied": {
        **_COMMON,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "head_dim": 64,
        "rope_theta": 1e4,
        "tie_word_embeddings": False,
    },
    # Heads that together are longer than the vector of a token.
    "qwen3_tied": {
        **_COMMON,
        "num_attention_heads": 6,
        "num_key_value_heads": 3,
        "head_dim": 64,
        "rope_theta": 1e6,
        "tie_word_embeddings": True,
        "attention_bias": False,
    },
    "qwen3_untied": {
        **_COMMON,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "head_dim": 32,
        "rope_theta": 1e6,
        "tie_word_embeddings": False,
        "attention_bias": True,
    },
}

MODEL_TYPES = {
    "qwen2_tied": "qwen2",
    "qwen2_untied": "qwen2",
    "qwen3_tied": "qwen3",
    "qwen3_untied": "qwen3",
}
"""Families of the models that are not llamas."""


ACTIVE_VOCAB_SIZE = {"grouped": None, "multi_head": 500}
"""Tokens from this one on have no meaning, and are never sampled."""


def chat_config(model: str, quantization: str) -> dict[str, Any]:
    """Returns mlc-chat-config.json of a model."""
    return {
        "model_type": MODEL_TYPES.get(model, "llama"),
        "quantization": quantization,
        "model_config": MODELS[model],
        "active_vocab_size": ACTIVE_VOCAB_SIZE.get(model),
    }
