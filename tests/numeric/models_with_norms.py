"""Small models of the families other than llama, that together have every feature of them."""

from __future__ import annotations

from typing import Any

_SIZES = {
    "vocab_size": 517,
    "context_window_size": 256,
    "prefill_chunk_size": 128,
    "max_batch_size": 4,
}

_PHI3 = {
    **_SIZES,
    "hidden_size": 256,
    "intermediate_size": 480,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 32,
    "rms_norm_eps": 1e-5,
    "position_embedding_base": 10000.0,
    "partial_rotary_factor": 0.75,
    "max_position_embeddings": 768,
    # One factor for each of the 12 frequencies of 24 rotated dimensions.
    "rope_scaling": {
        "type": "su",
        "long_factor": [1.1, 1.3, 1.8, 2.5, 3.5, 5.0, 7.0, 10.0, 14.0, 19.0, 25.0, 32.0],
        "short_factor": [1.0, 1.0, 1.1, 1.2, 1.2, 1.3, 1.5, 1.7, 1.9, 2.0, 2.2, 2.5],
    },
}

_GPT_NEOX = {
    **_SIZES,
    "hidden_size": 256,
    "intermediate_size": 480,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "head_dim": 64,
    "layer_norm_eps": 1e-5,
    "position_embedding_base": 10000.0,
}

_GPT2 = {
    **_SIZES,
    "n_embd": 256,
    "n_layer": 2,
    "n_head": 4,
    "n_inner": 480,
    "head_dim": 64,
    "layer_norm_epsilon": 1e-5,
}

MODELS: dict[str, dict[str, Any]] = {
    "gpt2": {**_GPT2, "scale_attn_by_inverse_layer_idx": False},
    "gpt2_scaled": {**_GPT2, "scale_attn_by_inverse_layer_idx": True},
    "gpt_neox": {**_GPT_NEOX, "use_parallel_residual": False, "rotary_pct": 1.0},
    "gpt_neox_parallel": {**_GPT_NEOX, "use_parallel_residual": True, "rotary_pct": 0.25},
    "gpt_neox_float16": {
        **_GPT_NEOX,
        "use_parallel_residual": True,
        "rotary_pct": 0.5,
        "ffn_out_dtype": "float16",
    },
    "phi": {
        **_SIZES,
        "hidden_size": 256,
        "intermediate_size": 480,
        "num_hidden_layers": 2,
        "num_attention_heads": 8,
        "num_key_value_heads": 8,
        "head_dim": 32,
        "layer_norm_eps": 1e-5,
        "position_embedding_base": 10000.0,
        "partial_rotary_factor": 0.5,
    },
    "phi_msft": {
        **_SIZES,
        "n_embd": 256,
        "n_inner": 480,
        "n_layer": 2,
        "n_head": 4,
        "n_head_kv": 2,
        "head_dim": 64,
        "layer_norm_epsilon": 1e-5,
        "position_embedding_base": 10000.0,
        "rotary_dim": 24,
    },
    "phi3": {**_PHI3, "original_max_position_embeddings": 192, "tie_word_embeddings": False},
    "phi3_long": {**_PHI3, "original_max_position_embeddings": 48, "tie_word_embeddings": True},
}

MODEL_TYPES = {
    "gpt2": "gpt2",
    "gpt2_scaled": "gpt2",
    "gpt_neox": "gpt_neox",
    "gpt_neox_float16": "gpt_neox",
    "gpt_neox_parallel": "gpt_neox",
    "phi": "phi",
    "phi_msft": "phi-msft",
    "phi3": "phi3",
    "phi3_long": "phi3",
}
