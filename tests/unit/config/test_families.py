"""Published and legacy configs of each family give a key; what contradicts itself is named."""

from __future__ import annotations

import pytest

FILE = "mlc-chat-config.json"

CONFIGS = {
    "gpt2": {
        "vocab_size": 100,
        "n_embd": 64,
        "n_layer": 1,
        "n_head": 4,
        "layer_norm_epsilon": 1e-5,
        "n_positions": 512,
    },
    "gpt_neox": {
        "use_parallel_residual": True,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_attention_heads": 4,
        "num_hidden_layers": 1,
        "layer_norm_eps": 1e-5,
        "vocab_size": 100,
        "rotary_pct": 0.25,
        "max_position_embeddings": 512,
    },
    "phi": {
        "hidden_size": 64,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
    },
    "phi-msft": {
        "n_embd": 64,
        "n_head": 4,
        "n_positions": 512,
        "rotary_dim": 8,
    },
    "phi3": {
        "hidden_size": 64,
        "vocab_size": 100,
        "num_hidden_layers": 1,
        "num_attention_heads": 4,
        "intermediate_size": 96,
        "rms_norm_eps": 1e-5,
        "max_position_embeddings": 512,
    },
}


def chat_config(model_type: str, **changes) -> dict:
    return {
        "model_type": model_type,
        "quantization": "q4f16_1",
        "model_config": {**CONFIGS[model_type], **changes},
    }


LONGROPE = {"type": "su", "long_factor": [1, 2, 3, 4, 5, 6, 7, 8], "short_factor": [1] * 8}


@pytest.mark.parametrize("model_type", CONFIGS)
def test_every_key_has_what_the_compiler_reads(run, model_type):
    """Fields that the library's metadata and memory figures need, whatever the family."""
    config = run(chat_config(model_type))["model_config"]
    assert config["pipeline_parallel_stages"] == 1
    assert config["disaggregation"] is False
    assert config["sliding_window_size"] == -1
    assert config["max_batch_size"] == 1
    assert config["head_dim"] == 16
    assert config["prefill_chunk_size"] == config["context_window_size"] == 512


@pytest.mark.parametrize("model_type", CONFIGS)
def test_other_families_have_no_sliding_window(error_of, model_type):
    config = {**chat_config(model_type), "sliding_window_size": 4096}
    assert f"{model_type} has no sliding window" in error_of(config)


def test_phi3_defaults(run):
    config = run(chat_config("phi3", num_key_value_heads=0, rope_theta=5000))["model_config"]
    assert config["num_key_value_heads"] == 4
    assert config["position_embedding_base"] == 5000.0
    assert config["partial_rotary_factor"] == 1.0
    assert config["rope_scaling"] is None


@pytest.mark.parametrize("spelling", ["su", "longrope"])
def test_phi3_longrope_has_two_spellings(run, spelling):
    """Both give the same key; what later steps add to the object is not in it."""
    scaling = {**LONGROPE, "type": spelling, "rope_type": spelling, "max_position_embeddings": 7}
    key = run(chat_config("phi3", rope_scaling=scaling, original_max_position_embeddings=64))
    assert key["model_config"]["rope_scaling"] == {
        "type": "longrope",
        "long_factor": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0],
        "short_factor": [1.0] * 8,
    }


def test_phi3_scaling_without_a_type_is_ignored(run):
    """As upstream does, with a note."""
    key = run(chat_config("phi3", rope_scaling={"rope_type": "default"}))
    assert key["model_config"]["rope_scaling"] is None
    assert key["notes"] == ["rope_scaling has no type: ignored"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"rope_scaling": {**LONGROPE, "type": "yarn"}},
            '$.model_config.rope_scaling.type: expected "longrope" or "su", got "yarn"',
        ),
        (
            {"rope_scaling": {"type": "su", "long_factor": [1]}},
            "$.model_config.rope_scaling.short_factor: missing; expected a list of positive"
            " numbers",
        ),
        (
            {"rope_scaling": {**LONGROPE, "long_factor": [1, 0]}},
            "$.model_config.rope_scaling.long_factor[1]: expected a positive number, got 0",
        ),
        (
            {"rope_scaling": {**LONGROPE, "long_factor": [1.5]}},
            "$.model_config.rope_scaling: long_factor has 1 numbers; expected 8, one a frequency",
        ),
        (
            {"rope_scaling": LONGROPE, "original_max_position_embeddings": None},
            "$.model_config.original_max_position_embeddings: missing, and rope_scaling needs it;"
            " expected an integer above 1",
        ),
        (
            {"partial_rotary_factor": 0.2},
            "$.model_config.partial_rotary_factor: 0.2 rotates 3 of head_dim 16 dimensions;"
            " expected an even number from 2 to 16",
        ),
        (
            {"head_dim": 32},
            "$.model_config.head_dim: 32 times num_attention_heads 4 is not hidden_size 64;"
            " expected 64 in all",
        ),
        (
            {"num_key_value_heads": 3},
            "$.model_config.num_key_value_heads: 3 does not divide num_attention_heads 4;"
            " expected one of 1, 2, 4",
        ),
    ],
)
def test_phi3_contradictions(error_of, changes, expected):
    config = chat_config("phi3", **{"original_max_position_embeddings": 64, **changes})
    assert error_of(config) == f"{FILE}: {expected}"


def test_gpt_neox_defaults(run):
    config = run(chat_config("gpt_neox", rope_theta=5000))["model_config"]
    assert config["position_embedding_base"] == 5000.0
    assert config["ffn_out_dtype"] == "float32"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"ffn_out_dtype": "bfloat16"},
            '$.model_config.ffn_out_dtype: expected "float16" or "float32", got "bfloat16"',
        ),
        (
            {"rotary_pct": 1.5},
            "$.model_config.rotary_pct: expected a number above 0 and not above 1, got 1.5",
        ),
        (
            {"rotary_pct": 0.1},
            "$.model_config.rotary_pct: 0.1 rotates 1 of head_dim 16 dimensions; expected an even"
            " number from 2 to 16",
        ),
        (
            {"use_parallel_residual": None},
            "$.model_config.use_parallel_residual: missing; expected true or false",
        ),
    ],
)
def test_gpt_neox_contradictions(error_of, changes, expected):
    assert error_of(chat_config("gpt_neox", **changes)) == f"{FILE}: {expected}"


@pytest.mark.parametrize(
    ("given", "size"),
    [({}, 8192), ({"intermediate_size": 0}, 256), ({"intermediate_size": None}, 256)],
)
def test_phi_defaults(run, given, size):
    """An intermediate_size of 0 or null is four times hidden_size; without one it is Phi-1's."""
    config = run(chat_config("phi", **given))["model_config"]
    assert config["intermediate_size"] == size
    assert config["num_hidden_layers"] == 24
    assert config["num_key_value_heads"] == 4
    assert config["partial_rotary_factor"] == 0.5
    assert config["vocab_size"] == 51200


@pytest.mark.parametrize("absent", [0, None])
def test_phi_msft_defaults(run, absent):
    """Published configs have 0 or null where a default is meant."""
    changes = {"n_inner": absent, "n_head_kv": absent, "prefill_chunk_size": 4096}
    key = run(chat_config("phi-msft", **changes))
    config = key["model_config"]
    assert (config["n_inner"], config["n_head_kv"], config["n_layer"]) == (256, 4, 32)
    assert config["context_window_size"] == config["prefill_chunk_size"] == 512
    assert key["notes"] == ["prefill_chunk_size 4096 clamped to context_window_size 512"]


@pytest.mark.parametrize(
    ("model_type", "changes", "expected"),
    [
        (
            "phi",
            {"partial_rotary_factor": 0},
            "partial_rotary_factor: expected a number above 0 and not above 1, got 0",
        ),
        (
            "phi-msft",
            {"rotary_dim": 32},
            "rotary_dim: 32 rotates 32 of head_dim 16 dimensions; expected an even number from"
            " 2 to 16",
        ),
        (
            "phi-msft",
            {"n_head_kv": 3},
            "n_head_kv: 3 does not divide n_head 4; expected one of 1, 2, 4",
        ),
    ],
)
def test_phi_contradictions(error_of, model_type, changes, expected):
    line = error_of(chat_config(model_type, **changes))
    assert line == f"{FILE}: $.model_config.{expected}"


@pytest.mark.parametrize(("given", "size"), [(-1, 256), (None, 256), (96, 96)])
def test_gpt2_defaults(run, given, size):
    config = run(chat_config("gpt2", n_inner=given))["model_config"]
    assert config["n_inner"] == size
    assert config["scale_attn_by_inverse_layer_idx"] is False


def test_gpt2_positions_are_weights(run, error_of):
    """A library for a shorter context would not take the checkpoint's embedding of positions."""
    problem = "256 is not 512, the number of positions that the weights have; remove it"
    line = error_of(chat_config("gpt2"), "--overrides", '{"context_window_size": 256}')
    assert line == f"overrides.context_window_size: {problem}"
    line = error_of(chat_config("gpt2", context_window_size=256))
    assert line == f"{FILE}: $.model_config.context_window_size: {problem}"
    run(chat_config("gpt2"), "--overrides", '{"context_window_size": 512}')


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"n_inner": 0}, "n_inner: expected a positive integer, or -1 for the default, got 0"),
        (
            {"n_head": 5},
            "n_head: 5 does not divide n_embd 64; expected one of 1, 2, 4, 8, 16, 32, 64",
        ),
        (
            {"n_positions": None},
            "context_window_size: missing; expected a positive integer (or n_positions or"
            " max_sequence_length)",
        ),
    ],
)
def test_gpt2_contradictions(error_of, changes, expected):
    assert error_of(chat_config("gpt2", **changes)) == f"{FILE}: $.model_config.{expected}"
