"""A gemma3's config, flat or with a text_config, makes a key; what it cannot be is named."""

from __future__ import annotations

import pytest

from tools.config import checkpoint_key

FILE = "mlc-chat-config.json"
AT = "$.model_config.text_config"


@pytest.fixture
def gemma3_config():
    """As the tools of upstream write it, of Gemma 3 4B."""
    return {
        "model_type": "gemma3",
        "quantization": "q4f16_1",
        "model_config": {
            "text_config": {
                "hidden_size": 2560,
                "intermediate_size": 10240,
                "num_hidden_layers": 34,
                "attention_bias": False,
                "num_attention_heads": 8,
                "num_key_value_heads": 4,
                "head_dim": 256,
                "rms_norm_eps": 1e-06,
                "hidden_activation": "gelu_pytorch_tanh",
                "position_embedding_base": 1000000,
                "rope_scaling": {"factor": 8.0, "rope_type": "linear"},
                "context_window_size": 8192,
                "prefill_chunk_size": 8192,
                "query_pre_attn_scalar": 256,
                "sliding_window_size": 1024,
                "kwargs": {"max_position_embeddings": 131072, "rope_local_base_freq": 5000},
            },
            "vocab_size": 262208,
            "tensor_parallel_shards": 1,
            "max_batch_size": 128,
            "context_window_size": 8192,
            "sliding_window_size": 1024,
            "prefill_chunk_size": 2048,
            "is_text_model": False,
        },
        "context_window_size": 8192,
        "sliding_window_size": 1024,
        "prefill_chunk_size": 2048,
        "attention_sink_size": -1,
    }


def test_key(run, gemma3_config):
    """Outer fields win; the window is that of layers, and the cache has none."""
    assert run(gemma3_config)["model_config"] == {
        "active_vocab_size": None,
        "attention_sink_size": -1,
        "attn_logit_softcapping": None,
        "context_window_size": 8192,
        "disaggregation": False,
        "final_logit_softcapping": None,
        "head_dim": 256,
        "hidden_activation": "gelu_pytorch_tanh",
        "hidden_size": 2560,
        "intermediate_size": 10240,
        "max_batch_size": 128,
        "num_attention_heads": 8,
        "num_hidden_layers": 34,
        "num_key_value_heads": 4,
        "pipeline_parallel_stages": 1,
        "position_embedding_base": 1000000.0,
        "prefill_chunk_size": 2048,
        "query_pre_attn_scalar": 256.0,
        "rms_norm_eps": 1e-06,
        "rope_local_base_freq": 5000.0,
        "rope_scaling": {"factor": 8.0},
        "sliding_window": 1024,
        "sliding_window_pattern": 6,
        "sliding_window_size": -1,
        "tensor_parallel_shards": 1,
        "vocab_size": 262208,
    }


@pytest.mark.parametrize("model_type", ["gemma3", "gemma3_text"])
def test_flat_and_nested(run, gemma3_config, model_type):
    """Both forms, for both names: published configs of text models have either."""
    gemma3_config["model_type"] = model_type
    nested = run(gemma3_config)
    fields = gemma3_config["model_config"]
    text = fields.pop("text_config")
    gemma3_config["model_config"] = {**text, **text.pop("kwargs"), **fields}
    assert run(gemma3_config) == nested


def test_minus_one_beside_the_text_config_leaves_its_value(run, gemma3_config):
    config = gemma3_config["model_config"]
    for name in ("context_window_size", "sliding_window_size", "prefill_chunk_size"):
        config[name] = -1
        del gemma3_config[name]
    key = run(gemma3_config)["model_config"]
    assert (key["context_window_size"], key["prefill_chunk_size"]) == (8192, 8192)
    assert key["sliding_window"] == 1024


@pytest.mark.parametrize("scaling", [0, None, {"rope_type": "default"}])
def test_no_scaling(run, gemma3_config, scaling):
    """Upstream's default is 0."""
    gemma3_config["model_config"]["text_config"]["rope_scaling"] = scaling
    assert run(gemma3_config)["model_config"]["rope_scaling"] is None


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("hidden_size", None, "missing; expected a positive integer"),
        ("sliding_window", 0, "expected a positive integer, got 0"),
        ("attention_bias", True, "expected false (gemma3's attention has no biases), got true"),
        ("sliding_window_pattern", 0, "expected a positive integer, got 0"),
        ("rope_scaling", 8, "expected an object or null, got 8"),
    ],
)
def test_fields(error_of, gemma3_config, field, value, problem):
    gemma3_config["model_config"]["text_config"][field] = value
    assert error_of(gemma3_config) == f"{FILE}: {AT}.{field}: {problem}"


def test_other_scalings_are_refused(error_of, gemma3_config):
    text = gemma3_config["model_config"]["text_config"]
    text["rope_scaling"] = {"factor": 8.0, "rope_type": "yarn"}
    line = error_of(gemma3_config)
    assert line == f'{FILE}: {AT}.rope_scaling.rope_type: expected "linear", got "yarn"'


def test_a_window_is_needed(error_of, gemma3_config):
    del gemma3_config["model_config"]["text_config"]["sliding_window_size"]
    del gemma3_config["model_config"]["sliding_window_size"]
    del gemma3_config["sliding_window_size"]
    expected = "missing; expected a positive integer (or sliding_window_size)"
    assert error_of(gemma3_config) == f"{FILE}: {AT}.sliding_window: {expected}"


def test_text_config_is_an_object(error_of, gemma3_config):
    gemma3_config["model_config"]["text_config"] = [1]
    assert f"{FILE}: {AT}: expected an object, got [1]" in error_of(gemma3_config)


def test_the_cache_has_no_window(error_of, gemma3_config):
    line = error_of(gemma3_config, "--overrides", '{"sliding_window_size": 4096}')
    assert line == "overrides.sliding_window_size: gemma3 has no sliding_window_size; remove it"


@pytest.mark.parametrize("nested", [True, False])
def test_rope_parameters_of_transformers_5(gemma3_config, nested):
    """They have an object for each kind of layer, in place of three fields."""
    text = gemma3_config["model_config"]["text_config"]
    text["max_position_embeddings"] = text.pop("context_window_size")
    for name in ("kwargs", "position_embedding_base", "rope_scaling"):
        del text[name]
    text["rope_parameters"] = {
        "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 2e6},
        "sliding_attention": {"rope_type": "default", "rope_theta": 5e3},
    }
    fields = {"text_config": text} if nested else text
    model_config = checkpoint_key({"model_type": "gemma3", **fields}, "q4f16_1").model_config
    assert model_config["position_embedding_base"] == 2e6
    assert model_config["rope_local_base_freq"] == 5e3
    assert model_config["rope_scaling"] == {"factor": 8.0}
    assert model_config["context_window_size"] == 8192
