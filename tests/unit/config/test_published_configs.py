"""Configs as published load as upstream loads them; what cannot be compiled is refused."""

from __future__ import annotations

import pytest

from tests.unit.config.published import PUBLISHED

FILE = "mlc-chat-config.json"

LOADED = {
    "gemma": {"hidden_activation": "gelu", "position_embedding_base": 1e4, "head_dim": 256},
    "gemma2": {"sliding_window": 4096, "context_window_size": 8192, "final_logit_softcapping": 30},
    "gemma3": {"head_dim": 256, "sliding_window": 1024, "rope_scaling": {"factor": 8.0}},
    "gemma3_text": {"sliding_window": 512, "context_window_size": 32768, "rope_scaling": None},
    "gpt2": {"n_inner": 3072, "context_window_size": 1024, "head_dim": 64},
    "gpt_neox": {"context_window_size": 2048, "head_dim": 64, "position_embedding_base": 1e4},
    "llama": {"position_embedding_base": 5e5, "context_window_size": 131072, "head_dim": 64},
    "mistral": {"sliding_window_size": 4096, "context_window_size": -1, "head_dim": 128},
    "phi": {"num_key_value_heads": 32, "context_window_size": 2048, "head_dim": 64},
    "phi-msft": {"n_inner": 10240, "n_head_kv": 32, "context_window_size": 2048},
    "phi3": {"head_dim": 96, "context_window_size": 131072, "position_embedding_base": 1e4},
    "qwen2": {"head_dim": 64, "rope_theta": 1e6, "prefill_chunk_size": 8192},
    "qwen3": {"head_dim": 128, "attention_bias": False, "prefill_chunk_size": 2048},
    "stablelm": {"head_dim": 64, "use_qkv_bias": True, "context_window_size": 4096},
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
"""What is made of fields of `PUBLISHED`."""


WITHOUT_WINDOW = {"sliding_window_size": -1, "attention_sink_size": -1}
"""What upstream's tools add to a config whose family has no window."""


def chat_config(model_type: str, changes: dict) -> dict:
    return {
        "model_type": model_type,
        "quantization": "q4f16_1",
        "model_config": {**PUBLISHED[model_type], **changes},
        **({} if model_type == "mistral" else WITHOUT_WINDOW),
    }


@pytest.mark.parametrize("model_type", LOADED)
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
    ("llama", "hidden_act", "gelu", 'hidden_act: expected "silu", got "gelu"'),
    ("llama", "attention_bias", True, "attention_bias: expected false (llama's attention has no"),
    ("llama", "mlp_bias", True, "mlp_bias: expected false (llama's feed-forward layer has no"),
    ("llama", "rope_theta", 10**16, "rope_theta: expected a number of at least 1, at most 10"),
    ("llama", "rms_norm_eps", 1e-40, "rms_norm_eps: expected a number between 0 and 1, at least"),
    (
        "llama",
        "rope_scaling",
        {**PUBLISHED["llama"]["rope_scaling"], "low_freq_factor": 4.0},
        "rope_scaling.low_freq_factor: 4.0 is not less than rope_scaling.high_freq_factor 4.0",
    ),
    ("gpt2", "activation_function", "relu", "activation_function: expected a kind of GELU, such"),
    ("gpt2", "scale_attn_weights", False, "scale_attn_weights: expected true (gpt2's attention"),
    ("gpt_neox", "attention_bias", False, "attention_bias: expected true (gpt_neox's attention"),
    ("olmo2", "attention_bias", True, "attention_bias: expected false (olmo2's attention has no"),
    ("phi", "qk_layernorm", True, "qk_layernorm: expected false (norms of query and key heads"),
    ("stablelm", "qk_layernorm", True, "qk_layernorm: expected false (norms of query and key"),
    ("stablelm", "use_parallel_residual", True, "use_parallel_residual: expected false (attention"),
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
        "n_head: 10 does not divide n_embd 768; expected a divisor of 768",
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
        "num_attention_heads: 40 does not divide hidden_size 4608; expected a divisor of 4608",
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


@pytest.mark.parametrize(
    ("device", "quantization", "head_dim", "expected"),
    [
        ("android", "q4f16_1", 100, None),
        ("android", "q4f16_1", 66, "in float16; expected a multiple of 4 from 16 to 256"),
        ("webgpu", "q4f32_1", 100, "in float32; expected a multiple of 8 from 16 to 256"),
        ("iphone", "q4f32_1", 100, None),
        ("cuda:x86_64-linux", "q0f16", 512, "in float16; expected a multiple of 4 from 16 to 256"),
        ("mali", "q4f16_1", 8, "in float16; expected a multiple of 4 from 16 to 256"),
        ("cpu:x86_64-linux", "q4f32_1", 66, None),
    ],
)
def test_length_of_heads(run, error_of, device, quantization, head_dim, expected):
    """What TVM has attention kernels for, on the device and in the quantization's dtype."""
    config = {**chat_config("llama", {"head_dim": head_dim}), "quantization": quantization}
    if expected is None:
        assert run(config, device=device)["model_config"]["head_dim"] == head_dim
        return
    assert error_of(config, device=device) == (
        f"{FILE}: $.model_config.head_dim: {device} has no attention kernels for heads of"
        f" {head_dim} {expected}"
    )


def test_heads_are_rotated_in_pairs(run, error_of):
    """Where a head may have any length, but for families without a rotary embedding."""
    assert error_of(chat_config("llama", {"head_dim": 65}), device="cpu:x86_64-linux") == (
        f"{FILE}: $.model_config.head_dim: 65 is odd, and dimensions are rotated in pairs;"
        " expected an even number"
    )
    run(chat_config("gpt2", {"n_embd": 12 * 65}), device="cpu:x86_64-linux")


def test_more_tokens_than_the_model_knows(run):
    """Gemma 3 1B's tokenizer has a token of images, beyond the embedding."""
    config = {**chat_config("gemma3_text", {}), "active_vocab_size": 262145.0}
    assert run(config)["model_config"]["active_vocab_size"] == 262145
