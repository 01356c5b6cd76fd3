"""Small models that together have every feature of the families."""

from __future__ import annotations

from typing import Any

from tests.numeric.models_with_norms import MODEL_TYPES as OTHER_TYPES
from tests.numeric.models_with_norms import MODELS as OTHERS

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

_MISTRAL = {
    **_COMMON,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "position_embedding_base": 1000000.0,
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
    "gemma": {
        **_COMMON,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        # A head is larger than hidden_size / num_attention_heads.
        "head_dim": 256,
        "hidden_act": "gelu",
        "attention_bias": False,
    },
    "stablelm": {
        **_COMMON,
        "layer_norm_eps": 1e-5,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "partial_rotary_factor": 0.25,
        "rope_theta": 10000,
    },
    "grouped_stablelm": {
        **_COMMON,
        "layer_norm_eps": 1e-5,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "partial_rotary_factor": 0.5,
        "rope_theta": 10000,
        "use_qkv_bias": True,
    },
    "mistral": {**_MISTRAL, "context_window_size": 256},
    "windowed_mistral": {
        **_MISTRAL,
        "context_window_size": -1,
        "sliding_window_size": 40,
        "attention_sink_size": 4,
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
    **OTHERS,
}


MODEL_TYPES = {
    "gemma": "gemma",
    "grouped": "llama",
    "grouped_stablelm": "stablelm",
    "mistral": "mistral",
    "multi_head": "llama",
    "qwen2_tied": "qwen2",
    "qwen2_untied": "qwen2",
    "qwen3_tied": "qwen3",
    "qwen3_untied": "qwen3",
    "stablelm": "stablelm",
    "windowed_mistral": "mistral",
    **OTHER_TYPES,
}

ACTIVE_VOCAB_SIZE = {"multi_head": 500}
"""Tokens from this one on have no meaning, and are never sampled."""


def chat_config(model: str, quantization: str) -> dict[str, Any]:
    """Returns mlc-chat-config.json of a model."""
    return {
        "model_type": MODEL_TYPES[model],
        "quantization": quantization,
        "model_config": MODELS[model],
        "active_vocab_size": ACTIVE_VOCAB_SIZE.get(model),
    }
