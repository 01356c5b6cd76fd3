"""Configs as published load as upstream loads them; what cannot be compiled is refused."""

from __future__ import annotations

import pytest

FILE = "mlc-chat-config.json"

PUBLISHED = {
    "gpt_bigcode": {
        "activation_function": "gelu_pytorch_tanh",
        "attention_softmax_in_fp32": True,
        "multi_query": True,
        "layer_norm_epsilon": 1e-05,
        "n_embd": 768,
        "n_head": 12,
        "n_inner": 3072,
        "n_layer": 20,
        "n_positions": 8192,
        "scale_attn_weights": True,
        "vocab_size": 49152,
    },
    "internlm2": {
        "bias": False,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "hidden_act": "silu",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "max_position_embeddings": 32768,
        "num_attention_heads": 32,
        "num_hidden_layers": 32,
        "num_key_value_heads": 8,
        "pad_token_id": 2,
        "rms_norm_eps": 1e-05,
        "rope_scaling": {"type": "dynamic", "factor": 2.0},
        "rope_theta": 1000000,
        "tie_word_embeddings": False,
        "use_cache": True,
        "vocab_size": 92544,
    },
    "mixtral": {
        "hidden_act": "silu",
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "max_position_embeddings": 32768,
        "num_attention_heads": 32,
        "num_experts_per_tok": 2,
        "num_hidden_layers": 32,
        "num_key_value_heads": 8,
        "num_local_experts": 8,
        "output_router_logits": False,
        "rms_norm_eps": 1e-05,
        "rope_theta": 1000000.0,
        "sliding_window": None,
        "tie_word_embeddings": False,
        "use_cache": True,
        "vocab_size": 32000,
    },
    "olmo2": {
        "hidden_act": "silu",
        "hidden_size": 5120,
        "intermediate_size": 27648,
        "max_position_embeddings": 4096,
        "num_attention_heads": 40,
        "num_hidden_layers": 64,
        "num_key_value_heads": 8,
        "rms_norm_eps": 1e-06,
        "rope_theta": 500000.0,
        "tie_word_embeddings": False,
        "use_cache": True,
        "vocab_size": 100352,
    },
    "qwen2_moe": {
        "decoder_sparse_step": 1,
        "intermediate_size": 5632,
        "norm_topk_prob": False,
        "shared_expert_intermediate_size": 5632,
        "sliding_window": 32768,
        "hidden_act": "silu",
        "hidden_size": 2048,
        "max_position_embeddings": 32768,
        "moe_intermediate_size": 1408,
        "num_attention_heads": 16,
        "num_experts": 60,
        "num_experts_per_tok": 4,
        "num_hidden_layers": 24,
        "num_key_value_heads": 16,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "tie_word_embeddings": False,
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": 151936,
    },
    "qwen3_moe": {
        "attention_bias": False,
        "decoder_sparse_step": 1,
        "head_dim": 128,
        "intermediate_size": 6144,
        "mlp_only_layers": [],
        "norm_topk_prob": True,
        "rope_scaling": None,
        "hidden_act": "silu",
        "hidden_size": 2048,
        "max_position_embeddings": 40960,
        "moe_intermediate_size": 768,
        "num_attention_heads": 32,
        "num_experts": 128,
        "num_experts_per_tok": 8,
        "num_hidden_layers": 48,
        "num_key_value_heads": 4,
        "rms_norm_eps": 1e-06,
        "rope_theta": 1000000.0,
        "tie_word_embeddings": False,
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": 151936,
    },
    "starcoder2": {
        "activation_function": "gelu",
        "attention_dropout": 0.1,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": 4608,
        "intermediate_size": 18432,
        "layer_norm_epsilon": 1e-05,
        "max_position_embeddings": 16384,
        "mlp_type": "default",
        "norm_epsilon": 1e-05,
        "norm_type": "layer_norm",
        "num_attention_heads": 36,
        "num_hidden_layers": 32,
        "num_key_value_heads": 4,
        "rope_theta": 1000000,
        "sliding_window": 4096,
        "use_bias": True,
        "use_cache": True,
        "vocab_size": 49152,
    },
}
"""A config of each family as its makers publish it; most fields have no effect on the code."""

LOADED = {
    "gpt_bigcode": {
        "activation_function": "gelu_pytorch_tanh",
        "head_dim": 64,
        "n_inner": 3072,
        "context_window_size": 8192,
    },
    "internlm2": {
        "head_dim": 128,
        "bias": False,
        "context_window_size": 32768,
        "prefill_chunk_size": 2048,
    },
    "mixtral": {
        "head_dim": 128,
        "num_local_experts": 8,
        "num_experts_per_tok": 2,
        "position_embedding_base": 1e6,
        "prefill_chunk_size": 8192,
        "sliding_window_size": -1,
    },
    "olmo2": {
        "head_dim": 128,
        "position_embedding_base": 5e5,
        "prefill_chunk_size": 4096,
        "rope_scaling": None,
    },
    "qwen2_moe": {
        "head_dim": 128,
        "norm_topk_prob": False,
        "prefill_chunk_size": 8192,
        "sliding_window_size": -1,
    },
    "qwen3_moe": {
        "head_dim": 128,
        "norm_topk_prob": True,
        "attention_bias": False,
        "prefill_chunk_size": 2048,
    },
    "starcoder2": {
        "head_dim": 128,
        "rope_theta": 1e6,
        "context_window_size": 16384,
        "prefill_chunk_size": 8192,
        "sliding_window_size": -1,
    },
}
"""What is made of it."""


def chat_config(model_type: str, changes: dict) -> dict:
    return {
        "model_type": model_type,
        "quantization": "q4f16_1",
        "model_config": {**PUBLISHED[model_type], **changes},
        "sliding_window_size": -1,
        "attention_sink_size": -1,
    }


@pytest.mark.parametrize("model_type", PUBLISHED)
def test_published_config(run, model_type):
    """Sizes that are not given are made of others; the key has no field without effect."""
    loaded = run(chat_config(model_type, {}))["model_config"]
    assert {name: loaded[name] for name in LOADED[model_type]} == LOADED[model_type]
    without_effect = {"hidden_act", "multi_query", "use_cache"}
    assert not without_effect & set(loaded)


@pytest.mark.parametrize(
    ("model_type", "changes", "loaded"),
    [
        # A shorter context leaves the trained positions.
        (
            "gpt_bigcode",
            {"context_window_size": 2048, "n_inner": None, "activation_function": None},
            {
                "context_window_size": 2048,
                "n_positions": 8192,
                "n_inner": 4 * 768,
                "activation_function": "gelu_pytorch_tanh",
            },
        ),
        (
            "olmo2",
            {"rms_norm_eps": None, "rope_theta": None, "num_key_value_heads": 0, "head_dim": 0},
            {
                "rms_norm_eps": 1e-5,
                "position_embedding_base": 1e4,
                "num_key_value_heads": 40,
                "head_dim": 128,
            },
        ),
        (
            "qwen2_moe",
            {"shared_expert_intermediate_size": 0, "norm_topk_prob": None},
            {"shared_expert_intermediate_size": 5632, "norm_topk_prob": False},
        ),
        ("qwen3_moe", {"decoder_sparse_step": None, "mlp_only_layers": None}, {}),
    ],
)
def test_optional_fields(run, model_type, changes, loaded):
    """What is absent, or stands for absent, has the value that upstream fills in."""
    config = run(chat_config(model_type, changes))["model_config"]
    assert {name: config[name] for name in loaded} == loaded


CONTRADICTIONS = [
    (
        "gpt_bigcode",
        "multi_query",
        False,
        "multi_query: expected true",
    ),
    (
        "gpt_bigcode",
        "activation_function",
        "relu",
        'activation_function: expected "gelu", "gelu_new" or "gelu_pytorch_tanh", got "relu"',
    ),
    (
        "gpt_bigcode",
        "n_head",
        10,
        "head_dim: 76 times n_head 10 is not n_embd 768; expected 768 in all",
    ),
    (
        "gpt_bigcode",
        "context_window_size",
        9000,
        "context_window_size: 9000 is more than n_positions 8192",
    ),
    (
        "gpt_bigcode",
        "tensor_parallel_shards",
        2,
        "tensor_parallel_shards: expected 1",
    ),
    ("internlm2", "bias", None, "bias: missing; expected true or false"),
    ("internlm2", "hidden_act", "gelu", 'hidden_act: expected "silu", got "gelu"'),
    (
        "internlm2",
        "num_key_value_heads",
        3,
        "num_key_value_heads: 3 does not divide num_attention_heads 32",
    ),
    (
        "internlm2",
        "head_dim",
        64,
        "head_dim: 64 times num_attention_heads 32 is not hidden_size 4096",
    ),
    ("olmo2", "hidden_act", "gelu", 'hidden_act: expected "silu", got "gelu"'),
    (
        "olmo2",
        "num_key_value_heads",
        7,
        "num_key_value_heads: 7 does not divide num_attention_heads 40",
    ),
    (
        "olmo2",
        "rope_scaling",
        {
            "rope_type": "yarn",
            "factor": 4.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 4.0,
            "original_max_position_embeddings": 64,
        },
        'rope_scaling.rope_type: expected "llama3", got "yarn"',
    ),
    (
        "mixtral",
        "num_experts_per_tok",
        9,
        "num_experts_per_tok: 9 is more than num_local_experts 8; expected at most that",
    ),
    ("mixtral", "num_local_experts", None, "num_local_experts: missing; expected an integer"),
    ("mixtral", "num_local_experts", 0, "num_local_experts: expected an integer from 1 to 1024"),
    (
        "qwen2_moe",
        "num_experts_per_tok",
        61,
        "num_experts_per_tok: 61 is more than num_experts 60; expected at most that",
    ),
    (
        "qwen2_moe",
        "decoder_sparse_step",
        2,
        "decoder_sparse_step: expected 1 (a layer without experts cannot be compiled), got 2",
    ),
    (
        "qwen3_moe",
        "mlp_only_layers",
        [0, 1],
        "mlp_only_layers: expected an empty list (a layer without experts cannot be compiled)",
    ),
    (
        "qwen3_moe",
        "num_key_value_heads",
        5,
        "num_key_value_heads: 5 does not divide num_attention_heads 32",
    ),
    (
        "starcoder2",
        "hidden_act",
        "gelu",
        'hidden_act: expected "gelu_pytorch_tanh" or "gelu_new", got "gelu"',
    ),
    ("starcoder2", "use_bias", None, "use_bias: missing; expected true or false"),
    (
        "starcoder2",
        "num_key_value_heads",
        5,
        "num_key_value_heads: 5 does not divide num_attention_heads 36",
    ),
    (
        "starcoder2",
        "num_attention_heads",
        40,
        "head_dim: 115 times num_attention_heads 40 is not hidden_size 4608",
    ),
]


@pytest.mark.parametrize(("model_type", "field", "value", "problem"), CONTRADICTIONS)
def test_what_cannot_be_compiled(error_of, model_type, field, value, problem):
    """One line, which begins with the path of the field at fault."""
    line = error_of(chat_config(model_type, {field: value}))
    assert line.startswith(f"{FILE}: $.model_config.{problem}")
    assert "\n" not in line


@pytest.mark.parametrize("model_type", ["mixtral", "qwen2_moe", "qwen3_moe"])
@pytest.mark.parametrize("quantization", ["q3f16_0", "q4f16_0"])
def test_experts_have_one_layout(error_of, model_type, quantization):
    """Upstream has no such weights of experts; the line lists what can be compiled."""
    config = {**chat_config(model_type, {}), "quantization": quantization}
    assert error_of(config) == (
        f"{FILE}: $.quantization: {model_type} has no {quantization}; expected one of q0bf16,"
        " q0f16, q0f32, q3f16_1, q4bf16_1, q4f16_1, q4f32_1"
    )
