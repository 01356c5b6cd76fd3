"""A gemma's config, in its published forms, makes the key that upstream's loader would make."""

from __future__ import annotations

import pytest

FILE = "mlc-chat-config.json"


@pytest.fixture
def gemma_config():
    """As the tools of upstream write it, of a small gemma."""
    return {
        "model_type": "gemma",
        "quantization": "q4f16_1",
        "model_config": {
            "hidden_size": 256,
            "intermediate_size": 768,
            "attention_bias": False,
            "num_attention_heads": 4,
            "num_key_value_heads": 1,
            "head_dim": 256,
            "num_hidden_layers": 4,
            "rms_norm_eps": 1e-06,
            "vocab_size": 512,
            "hidden_activation": "gelu",
            "position_embedding_base": 10000,
            "context_window_size": 8192,
            "prefill_chunk_size": 1024,
            "tensor_parallel_shards": 1,
            "max_batch_size": 4,
        },
        "context_window_size": 8192,
        "sliding_window_size": -1,
        "attention_sink_size": -1,
    }


def test_key(run, gemma_config):
    key = run(gemma_config)
    assert key["model_type"] == "gemma"
    assert key["model_config"] == {
        "active_vocab_size": None,
        "attention_sink_size": -1,
        "context_window_size": 8192,
        "disaggregation": False,
        "head_dim": 256,
        "hidden_activation": "gelu",
        "hidden_size": 256,
        "intermediate_size": 768,
        "max_batch_size": 4,
        "num_attention_heads": 4,
        "num_hidden_layers": 4,
        "num_key_value_heads": 1,
        "pipeline_parallel_stages": 1,
        "position_embedding_base": 10000.0,
        "prefill_chunk_size": 1024,
        "rms_norm_eps": 1e-06,
        "sliding_window_size": -1,
        "tensor_parallel_shards": 1,
        "vocab_size": 512,
    }


def test_legacy_and_absent_fields(run, gemma_config):
    """The activation's older name, the names of the context, no bias; the rest is let be."""
    first = run(gemma_config)
    config = gemma_config["model_config"]
    del config["attention_bias"], config["position_embedding_base"], config["hidden_activation"]
    config.update(
        hidden_activation=None, hidden_act="gelu", tie_word_embeddings=True, rope_theta=1e4
    )
    assert run(gemma_config) == first
    del config["context_window_size"], gemma_config["context_window_size"]
    config["max_position_embeddings"] = 8192
    assert run(gemma_config) == first
    del config["prefill_chunk_size"], config["max_batch_size"], config["tensor_parallel_shards"]
    config["max_position_embeddings"] = 32768
    assert run(gemma_config)["model_config"] | {"max_batch_size": 4} == {
        **first["model_config"],
        "context_window_size": 32768,
        "prefill_chunk_size": 8192,
    }


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("hidden_activation", "silu", 'expected "gelu" or "gelu_pytorch_tanh", got "silu"'),
        ("hidden_act", "relu", 'expected "gelu" or "gelu_pytorch_tanh", got "relu"'),
        (
            "hidden_activation",
            None,
            'missing; expected "gelu" or "gelu_pytorch_tanh" (or hidden_act)',
        ),
        ("attention_bias", True, "expected false (gemma's attention has no biases), got true"),
        ("head_dim", None, "missing; expected a positive integer"),
        ("num_key_value_heads", None, "missing; expected a positive integer"),
        (
            "num_key_value_heads",
            3,
            "3 does not divide num_attention_heads 4; expected one of 1, 2, 4",
        ),
        ("sliding_window", 4096, None),
    ],
)
def test_fields(run, error_of, gemma_config, field, value, problem):
    gemma_config["model_config"][field] = value
    if problem is None:
        assert run(gemma_config)["model_config"]["sliding_window_size"] == -1
    else:
        assert error_of(gemma_config) == f"{FILE}: $.model_config.{field}: {problem}"


@pytest.mark.parametrize(
    ("override", "problem"),
    [
        ('{"sliding_window_size": 4096}', "expected -1 (gemma has no sliding window), got 4096"),
        ('{"attention_sink_size": 4}', "gemma has no attention_sink_size; remove it"),
        ('{"disaggregation": true}', "gemma has no disaggregation; remove it"),
        ('{"pipeline_parallel_stages": 2}', "gemma has no pipeline_parallel_stages; remove it"),
    ],
)
def test_overrides_of_what_it_does_not_have(error_of, gemma_config, override, problem):
    field = override.split('"')[1]
    assert error_of(gemma_config, "--overrides", override) == f"overrides.{field}: {problem}"
