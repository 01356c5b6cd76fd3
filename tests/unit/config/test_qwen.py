"""Published configs of qwen2 and qwen3 load; what a family cannot do is refused."""

from __future__ import annotations

import pytest

QWEN2 = {
    "hidden_act": "silu",
    "hidden_size": 896,
    "intermediate_size": 4864,
    "num_attention_heads": 14,
    "num_hidden_layers": 24,
    "num_key_value_heads": 2,
    "rms_norm_eps": 1e-06,
    "rope_theta": 1000000.0,
    "vocab_size": 151936,
    "tie_word_embeddings": True,
    "max_position_embeddings": 32768,
    "use_sliding_window": False,
    "sliding_window": 32768,
    "max_window_layers": 21,
    "dtype": "float32",
}
QWEN3 = {
    **QWEN2,
    "hidden_size": 1024,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "attention_bias": False,
    "rope_scaling": None,
    "weight_block_size": None,
}


def chat_config(model_type: str, **changes) -> dict:
    model_config = {**{"qwen2": QWEN2, "qwen3": QWEN3}[model_type], **changes}
    return {
        "model_type": model_type,
        "quantization": "q4f16_1",
        "model_config": model_config,
        "sliding_window_size": -1,
        "attention_sink_size": -1,
        "pipeline_parallel_stages": None,
    }


@pytest.mark.parametrize(
    ("model_type", "head_dim", "chunk"), [("qwen2", 64, 8192), ("qwen3", 128, 2048)]
)
def test_published_config(run, model_type, head_dim, chunk):
    """Sizes that are not given are made of others; fields without effect are not in the key."""
    config = run(chat_config(model_type))["model_config"]
    assert config["head_dim"] == head_dim
    assert (config["context_window_size"], config["prefill_chunk_size"]) == (32768, chunk)
    assert config["rope_theta"] == 1e6
    ignored = {"use_sliding_window", "sliding_window", "max_window_layers", "dtype", "hidden_act"}
    assert not ignored & set(config)
    assert ("attention_bias" in config) == (model_type == "qwen3")


def test_qwen3_heads_need_not_divide_the_hidden_size(run):
    """``head_dim`` is the model's own."""
    config = chat_config("qwen3", num_attention_heads=6, num_key_value_heads=3)
    assert run(config)["model_config"]["head_dim"] == 128


@pytest.mark.parametrize(
    ("model_type", "field", "value", "problem"),
    [
        ("qwen2", "hidden_act", "gelu", 'expected "silu", got "gelu"'),
        ("qwen2", "num_key_value_heads", 4, "4 does not divide num_attention_heads 14"),
        ("qwen3", "num_key_value_heads", 3, "3 does not divide num_attention_heads 16"),
        ("qwen3", "weight_block_size", [128, 128], "float8"),
        ("qwen3", "sliding_window_size", 4096, "qwen3 has no sliding window"),
    ],
)
def test_what_cannot_be_compiled(error_of, model_type, field, value, problem):
    """The line names the field."""
    config = chat_config(model_type, **{field: value})
    if field in config:
        config[field] = value
    line = error_of(config)
    assert f".{field}: " in line
    assert problem in line
    assert "\n" not in line
