"""A mistral's config, with a sliding window and without, makes the key that upstream would."""

from __future__ import annotations

import pytest

FILE = "mlc-chat-config.json"


@pytest.fixture
def mistral_config():
    """A config with what has no default, and a context."""
    return {
        "model_type": "mistral",
        "quantization": "q4f16_1",
        "model_config": {
            "hidden_size": 256,
            "intermediate_size": 768,
            "num_attention_heads": 8,
            "num_hidden_layers": 4,
            "rms_norm_eps": 1e-05,
            "vocab_size": 512,
            "max_position_embeddings": 32768,
        },
    }


@pytest.fixture
def sizes(run):
    """The key's context, window, sink and chunk, with the given overrides."""

    def sizes(config, overrides="{}"):
        names = ("context_window_size", "sliding_window_size", "attention_sink_size")
        result = run(config, "--overrides", overrides)["model_config"]
        return [result[name] for name in (*names, "prefill_chunk_size")]

    return sizes


def test_key(run, mistral_config):
    """Every default; what a mistral does not read is ignored, as upstream ignores it."""
    mistral_config["model_config"].update(tie_word_embeddings=True, rope_scaling={"type": "x"})
    assert run(mistral_config)["model_config"] == {
        "active_vocab_size": None,
        "attention_sink_size": 4,
        "context_window_size": 32768,
        "disaggregation": False,
        "head_dim": 32,
        "hidden_size": 256,
        "intermediate_size": 768,
        "max_batch_size": 1,
        "num_attention_heads": 8,
        "num_hidden_layers": 4,
        "num_key_value_heads": 8,
        "pipeline_parallel_stages": 1,
        "position_embedding_base": 10000.0,
        "prefill_chunk_size": 8192,
        "rms_norm_eps": 1e-05,
        "sliding_window_size": -1,
        "tensor_parallel_shards": 1,
        "vocab_size": 512,
    }


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # As checkpoints have it: null or no window; a window, which the context yields to.
        ({"sliding_window": None}, [32768, -1, 4, 8192]),
        ({"sliding_window": 4096}, [-1, 4096, 4, 4096]),
        # As upstream's tools write it.
        ({"sliding_window_size": 4096, "context_window_size": -1}, [-1, 4096, 4, 4096]),
        ({"sliding_window_size": 4096, "attention_sink_size": 0}, [-1, 4096, 0, 4096]),
        ({"sliding_window_size": -1, "context_window_size": 4096}, [4096, -1, 4, 4096]),
        # The newer name wins over the older; both limits at once; a chunk is taken as it is.
        ({"sliding_window_size": -1, "sliding_window": 4096}, [32768, -1, 4, 8192]),
        ({"sliding_window_size": 4096, "context_window_size": 2048}, [2048, 4096, 4, 2048]),
        ({"sliding_window_size": 1024, "prefill_chunk_size": 2048}, [-1, 1024, 4, 2048]),
        ({"context_window_size": 1024, "prefill_chunk_size": 2048}, [1024, -1, 4, 2048]),
        ({"sliding_window_size": 16384}, [-1, 16384, 4, 8192]),
        # 0 stands for an absent field, as in upstream's classes.
        ({"sliding_window_size": 0, "sliding_window": 4096}, [-1, 4096, 4, 4096]),
        ({"sliding_window_size": 4096, "context_window_size": 0}, [-1, 4096, 4, 4096]),
        ({"context_window_size": 0, "prefill_chunk_size": 0}, [32768, -1, 4, 8192]),
    ],
)
@pytest.mark.parametrize("top_level", [False, True])
def test_windows(sizes, mistral_config, fields, expected, top_level):
    (mistral_config if top_level else mistral_config["model_config"]).update(fields)
    assert sizes(mistral_config) == expected


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ('{"sliding_window_size": 1024}', [32768, 1024, 4, 8192]),
        ('{"sliding_window_size": 1024, "attention_sink_size": 0}', [32768, 1024, 0, 8192]),
        ('{"context_window_size": 2048, "prefill_chunk_size": 512}', [2048, -1, 4, 512]),
        ('{"context_window_size": -1, "attention_sink_size": -1}', [32768, -1, 4, 8192]),
    ],
)
def test_overridden_windows(sizes, mistral_config, overrides, expected):
    assert sizes(mistral_config, overrides) == expected


@pytest.mark.parametrize(
    ("fields", "field", "problem"),
    [
        (
            {"sliding_window_size": -2},
            "sliding_window_size",
            "expected a positive integer, or -1 for none, got -2",
        ),
        (
            {"sliding_window": "4k"},
            "sliding_window",
            'expected a positive integer, or -1 for none, got "4k"',
        ),
        (
            {"sliding_window": 0},
            "sliding_window",
            "expected a positive integer, or -1 for none, got 0",
        ),
        (
            {"attention_sink_size": -1},
            "attention_sink_size",
            "expected an integer not below 0, got -1",
        ),
        (
            {"sliding_window_size": 4},
            "attention_sink_size",
            "4 is not less than sliding_window_size 4; expected less",
        ),
        (
            {"context_window_size": -1},
            "context_window_size",
            "-1, and sliding_window_size is -1 too; expected a positive integer for one of them",
        ),
        (
            {"max_position_embeddings": None},
            "context_window_size",
            "missing; expected a positive integer, or -1 for none"
            " (or max_position_embeddings or max_sequence_length)",
        ),
        (
            {"num_key_value_heads": 3},
            "num_key_value_heads",
            "3 does not divide num_attention_heads 8; expected one of 1, 2, 4, 8",
        ),
    ],
)
def test_mistakes(error_of, mistral_config, fields, field, problem):
    mistral_config["model_config"].update(fields)
    assert error_of(mistral_config) == f"{FILE}: $.model_config.{field}: {problem}"


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ('{"attention_sink_size": 9, "sliding_window_size": 8}', "attention_sink_size: 9 is not"),
        ('{"disaggregation": true}', "disaggregation: mistral has no disaggregation; remove it"),
        ('{"pipeline_parallel_stages": 2}', "pipeline_parallel_stages: mistral has no"),
    ],
)
def test_mistakes_in_overrides(error_of, mistral_config, overrides, problem):
    assert error_of(mistral_config, "--overrides", overrides).startswith(f"overrides.{problem}")
