"""A gemma2's config, as published, makes a key; what it cannot be is named."""

from __future__ import annotations

import pytest

FILE = "mlc-chat-config.json"


@pytest.fixture
def gemma2_config():
    """As the tools of upstream write it, of Gemma 2 2B."""
    return {
        "model_type": "gemma2",
        "quantization": "q4f16_1",
        "model_config": {
            "hidden_size": 2304,
            "intermediate_size": 9216,
            "attention_bias": False,
            "num_attention_heads": 8,
            "num_key_value_heads": 4,
            "head_dim": 256,
            "num_hidden_layers": 26,
            "rms_norm_eps": 1e-06,
            "vocab_size": 256000,
            "hidden_activation": "gelu_pytorch_tanh",
            "position_embedding_base": 10000,
            "context_window_size": 4096,
            "prefill_chunk_size": 2048,
            "tensor_parallel_shards": 1,
            "max_batch_size": 80,
            "attn_logit_softcapping": 50,
            "final_logit_softcapping": 30.0,
            "query_pre_attn_scalar": 256,
            "sliding_window": 4096,
        },
        "context_window_size": 4096,
        "sliding_window_size": -1,
        "attention_sink_size": -1,
    }


def test_key(run, gemma2_config):
    """The window of its layers is a number of the code; the cache has none."""
    config = run(gemma2_config)["model_config"]
    assert config["attn_logit_softcapping"] == 50.0
    assert config["final_logit_softcapping"] == 30.0
    assert config["query_pre_attn_scalar"] == 256.0
    assert config["sliding_window"] == 4096
    assert config["sliding_window_size"] == -1


def test_the_context_may_be_longer_than_the_window(run, gemma2_config):
    """As the architecture has it."""
    config = run(gemma2_config, "--overrides", '{"context_window_size": 8192}')["model_config"]
    assert config["context_window_size"] == 8192
    assert config["sliding_window"] == 4096


@pytest.mark.parametrize("field", ["attn_logit_softcapping", "final_logit_softcapping"])
def test_caps_are_optional(run, gemma2_config, field):
    """Null and absence mean that there is none."""
    gemma2_config["model_config"][field] = None
    null = run(gemma2_config)
    assert null["model_config"][field] is None
    del gemma2_config["model_config"][field]
    assert run(gemma2_config) == null


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("attn_logit_softcapping", 0, "expected a positive number, got 0"),
        ("query_pre_attn_scalar", None, "missing; expected a positive number"),
        ("sliding_window", None, "missing; expected a positive integer"),
        ("sliding_window", -1, "expected a positive integer, got -1"),
        ("hidden_activation", "silu", 'expected "gelu" or "gelu_pytorch_tanh", got "silu"'),
    ],
)
def test_fields(error_of, gemma2_config, field, value, problem):
    gemma2_config["model_config"][field] = value
    assert error_of(gemma2_config) == f"{FILE}: $.model_config.{field}: {problem}"


def test_the_cache_has_no_window(error_of, gemma2_config):
    line = error_of(gemma2_config, "--overrides", '{"sliding_window_size": 4096}')
    assert line == "overrides.sliding_window_size: gemma2 has no sliding_window_size; remove it"


def test_checkpoints_name_the_window_twice(run, gemma2_config):
    """The config.json of the 9B and 27B models has both names; the cache still has no window."""
    expected = run(gemma2_config)["model_config"]
    del gemma2_config["sliding_window_size"]
    gemma2_config["model_config"]["sliding_window_size"] = 4096
    assert run(gemma2_config)["model_config"] == expected
