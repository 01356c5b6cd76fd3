"""A stablelm's config makes the key that upstream's loader would make, or names what is wrong."""

from __future__ import annotations

import pytest

FILE = "mlc-chat-config.json"


@pytest.fixture
def stablelm_config():
    """A config with what has no default, and a context."""
    return {
        "model_type": "stablelm",
        "quantization": "q4f16_1",
        "model_config": {
            "vocab_size": 512,
            "hidden_size": 256,
            "num_hidden_layers": 4,
            "num_attention_heads": 8,
            "num_key_value_heads": 8,
            "layer_norm_eps": 1e-05,
            "partial_rotary_factor": 0.25,
            "rope_theta": 10000,
            "intermediate_size": 768,
            "max_position_embeddings": 4096,
        },
    }


def test_key(run, stablelm_config):
    assert run(stablelm_config)["model_config"] == {
        "active_vocab_size": None,
        "attention_sink_size": -1,
        "context_window_size": 4096,
        "disaggregation": False,
        "head_dim": 32,
        "hidden_size": 256,
        "intermediate_size": 768,
        "layer_norm_eps": 1e-05,
        "max_batch_size": 1,
        "num_attention_heads": 8,
        "num_hidden_layers": 4,
        "num_key_value_heads": 8,
        "partial_rotary_factor": 0.25,
        "pipeline_parallel_stages": 1,
        "prefill_chunk_size": 4096,
        "rope_theta": 10000.0,
        "sliding_window_size": -1,
        "tensor_parallel_shards": 1,
        "use_qkv_bias": False,
        "vocab_size": 512,
    }


def test_given_fields_are_kept(run, stablelm_config):
    fields = {"use_qkv_bias": True, "head_dim": 32, "context_window_size": 2048}
    stablelm_config["model_config"].update(fields, prefill_chunk_size=4096)
    key = run(stablelm_config)
    assert {name: key["model_config"][name] for name in fields} == fields
    assert key["notes"] == ["prefill_chunk_size 4096 clamped to context_window_size 2048"]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("layer_norm_eps", None, "missing; expected a number between 0 and 1"),
        ("num_key_value_heads", None, "missing; expected a positive integer"),
        ("partial_rotary_factor", None, "missing; expected a number above 0, at most 1"),
        ("partial_rotary_factor", 1.5, "expected a number above 0, at most 1, got 1.5"),
        ("rope_theta", None, "missing; expected a number of at least 1"),
        ("use_qkv_bias", 1, "expected true or false, got 1"),
        (
            "partial_rotary_factor",
            0.1,
            "0.1 rotates 3 of head_dim 32 dimensions; expected an even number from 2 to 32",
        ),
        (
            "partial_rotary_factor",
            0.01,
            "0.01 rotates 0 of head_dim 32 dimensions; expected an even number from 2 to 32",
        ),
        (
            "head_dim",
            64,
            "64 times num_attention_heads 8 is not hidden_size 256; expected 256 in all",
        ),
        ("sliding_window_size", 4096, "expected -1 (stablelm has no sliding window), got 4096"),
    ],
)
def test_fields(error_of, stablelm_config, field, value, problem):
    stablelm_config["model_config"][field] = value
    assert error_of(stablelm_config) == f"{FILE}: $.model_config.{field}: {problem}"


@pytest.mark.parametrize("field", ["attention_sink_size", "disaggregation"])
def test_overrides_of_what_it_does_not_have(error_of, stablelm_config, field):
    value = "true" if field == "disaggregation" else "4"
    line = error_of(stablelm_config, "--overrides", f'{{"{field}": {value}}}')
    assert line == f"overrides.{field}: stablelm has no {field}; remove it"
