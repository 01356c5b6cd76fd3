"""The models that upstream's apps package: shapes of their chat configs, without weights.

The figures are those that the models' publishers give in config.json; the context windows and the
prefill chunks are smaller.
"""

from __future__ import annotations

import json
import pathlib
from typing import Any

_ABI = "tests/data/abi/{}.json"

_LLAMA = {
    "rms_norm_eps": 1e-5,
    "vocab_size": 128256,
    "position_embedding_base": 500000,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "context_window_size": 8192,
    "prefill_chunk_size": 2048,
    "max_batch_size": 4,
}

_LLAMA_3_8B = {
    **_LLAMA,
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_attention_heads": 32,
    "num_hidden_layers": 32,
}

_LLAMA_3_2_3B = {
    **_LLAMA,
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "num_attention_heads": 24,
    "num_hidden_layers": 28,
    "tie_word_embeddings": True,
    "rope_scaling": {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    },
}

_GEMMA_2_2B = {
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "num_hidden_layers": 26,
    "rms_norm_eps": 1e-6,
    "vocab_size": 256000,
    "hidden_activation": "gelu_pytorch_tanh",
    "attn_logit_softcapping": 50.0,
    "final_logit_softcapping": 30.0,
    "query_pre_attn_scalar": 256,
    "sliding_window": 4096,
    "position_embedding_base": 10000,
    "context_window_size": 4096,
    "prefill_chunk_size": 2048,
    "max_batch_size": 4,
}

_QWEN3_1_7B = {
    "hidden_act": "silu",
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "attention_bias": False,
    "num_attention_heads": 16,
    "num_hidden_layers": 28,
    "num_key_value_heads": 8,
    "rms_norm_eps": 1e-6,
    "rope_theta": 1000000,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
    "head_dim": 128,
    "context_window_size": 4096,
    "prefill_chunk_size": 2048,
    "max_batch_size": 4,
}

# model_type and model_config, the latter by the name of one that upstream describes.
_MODELS: dict[str, tuple[str, dict[str, Any] | str]] = {
    "Llama-3-8B-Instruct-q3f16_1-MLC": ("llama", _LLAMA_3_8B),
    "Llama-3.2-3B-Instruct-q4f16_0-MLC": ("llama", _LLAMA_3_2_3B),
    "Llama-3.2-3B-Instruct-q4f16_1-MLC": ("llama", _LLAMA_3_2_3B),
    "Mistral-7B-Instruct-v0.3-q4f16_1-MLC": ("mistral", "mistral_7b_v03-q4f16_1"),
    "Phi-3.5-mini-instruct-q4f16_0-MLC": ("phi3", "phi-3_5-q4f16_0"),
    "Phi-3.5-mini-instruct-q4f16_1-MLC": ("phi3", "phi-3_5-q4f16_1"),
    "Qwen3-0.6B-q0f16-MLC": ("qwen3", "qwen3_0.6b-q0f16"),
    "Qwen3-1.7B-q4f16_1-MLC": ("qwen3", _QWEN3_1_7B),
    "gemma-2-2b-it-q4f16_1-MLC": ("gemma2", _GEMMA_2_2B),
    "phi-2-q4f16_1-MLC": ("phi-msft", "phi-2-q4f16_1"),
}


def repositories() -> list[str]:
    """The repositories of the Hub, in alphabetical order."""
    return [f"mlc-ai/{name}" for name in _MODELS]


def chat_config(repository: str) -> bytes:
    """The mlc-chat-config.json of a model."""
    name = repository.partition("/")[2]
    model_type, config = _MODELS[name]
    if isinstance(config, str):
        config = json.loads(pathlib.Path(_ABI.format(config)).read_text())["model_config"]
    value = {
        "model_type": model_type,
        "quantization": name.removesuffix("-MLC").rpartition("-")[2],
        "model_config": config,
        "tokenizer_files": ["tokenizer.json"],
    }
    return json.dumps(value).encode()
