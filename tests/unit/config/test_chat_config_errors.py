"""Every mistake in mlc-chat-config.json is named with the file and the JSON path."""

from __future__ import annotations

import pytest

from tools import config

FILE = "mlc-chat-config.json"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("hidden_size", -5, "a positive integer, got -5"),
        ("hidden_size", None, None),
        ("intermediate_size", 0, "a positive integer, got 0"),
        ("num_attention_heads", "8", 'a positive integer, got "8"'),
        ("num_hidden_layers", 5000, "an integer from 1 to 1024, got 5000"),
        ("rms_norm_eps", 0, "a number between 0 and 1, got 0"),
        ("rms_norm_eps", 1, "a number between 0 and 1, got 1"),
        ("tie_word_embeddings", "yes", 'true or false, got "yes"'),
        ("position_embedding_base", -1, "a number of at least 1, got -1"),
        ("rope_theta", 0, "a number of at least 1, got 0"),
        ("max_position_embeddings", 0, "a positive integer, got 0"),
        ("max_sequence_length", 0, "a positive integer, got 0"),
        ("num_key_value_heads", 1025, "a positive integer, at most 1024, got 1025"),
        ("head_dim", -1, "a positive integer, got -1"),
        ("pipeline_parallel_stages", 0, "an integer from 1 to 1024, got 0"),
        ("max_batch_size", [], "a positive integer, got []"),
        ("disaggregation", 0, "true or false, got 0"),
        ("rope_scaling", "llama3", 'an object or null, got "llama3"'),
    ],
)
def test_field_of_model_config(error_of, chat_config, field, value, expected):
    chat_config["model_config"][field] = value
    place = f"{FILE}: $.model_config.{field}"
    expected = (
        "missing; expected a positive integer" if expected is None else f"expected {expected}"
    )
    assert error_of(chat_config) == f"{place}: {expected}"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("context_window_size", -1, "a positive integer, got -1"),
        ("prefill_chunk_size", -2, "a positive integer, got -2"),
        ("vocab_size", 2**31, "a positive integer, at most 16777216, got 2147483648"),
        ("sliding_window_size", 4096, "-1 (llama has no sliding window), got 4096"),
        ("tensor_parallel_shards", 0, "an integer from 1 to 1024, got 0"),
        ("active_vocab_size", "all", 'an integer, got "all"'),
        ("model_type", 3, 'a string, such as "llama", got 3'),
        ("quantization", None, 'a string, such as "q4f16_1", got null'),
        ("model_config", [], "an object, got []"),
    ],
)
def test_field_of_the_top_level(error_of, chat_config, field, value, expected):
    chat_config[field] = value
    assert error_of(chat_config) == f"{FILE}: $.{field}: expected {expected}"


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("rope_type", "yarn", '"llama3", got "yarn"'),
        ("factor", 0, "a positive number, got 0"),
        ("low_freq_factor", "1", 'a positive number, got "1"'),
        ("high_freq_factor", -4, "a positive number, got -4"),
        ("original_max_position_embeddings", 1.5, "a positive integer, got 1.5"),
    ],
)
def test_field_of_rope_scaling(error_of, chat_config, field, value, expected):
    chat_config["model_config"]["rope_scaling"] = {
        "rope_type": "llama3",
        "factor": 32.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
        field: value,
    }
    place = f"{FILE}: $.model_config.rope_scaling.{field}"
    assert error_of(chat_config) == f"{place}: expected {expected}"


def test_missing_field_of_rope_scaling(error_of, chat_config):
    chat_config["model_config"]["rope_scaling"] = {"rope_type": "llama3", "factor": 8.0}
    place = f"{FILE}: $.model_config.rope_scaling"
    assert error_of(chat_config).splitlines() == [
        f"{place}.low_freq_factor: missing; expected a positive number",
        f"{place}.high_freq_factor: missing; expected a positive number",
        f"{place}.original_max_position_embeddings: missing; expected a positive integer",
    ]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("model_type", 'a string, such as "llama"'),
        ("quantization", 'a string, such as "q4f16_1"'),
        ("model_config", "an object"),
    ],
)
def test_missing_at_the_top_level(error_of, chat_config, field, expected):
    del chat_config[field]
    assert error_of(chat_config) == f"{FILE}: $.{field}: missing; expected {expected}"


def test_no_context_size_under_any_name(error_of, chat_config):
    del chat_config["context_window_size"], chat_config["model_config"]["context_window_size"]
    assert error_of(chat_config) == (
        f"{FILE}: $.model_config.context_window_size: missing; expected a positive integer "
        "(or max_position_embeddings or max_sequence_length)"
    )


def test_all_violations_are_shown_at_once(error_of, chat_config):
    chat_config["model_config"].update(hidden_size=-5, head_dim=-1)
    chat_config["prefill_chunk_size"] = "x"
    assert error_of(chat_config, "--overrides", '{"sliding_window_size": 1}').splitlines() == [
        f"{FILE}: $.model_config.head_dim: expected a positive integer, got -1",
        f"{FILE}: $.model_config.hidden_size: expected a positive integer, got -5",
        f'{FILE}: $.prefill_chunk_size: expected a positive integer, got "x"',
        "overrides.sliding_window_size: expected -1 (llama has no sliding window), got 1",
    ]


def test_unknown_model_type_with_the_nearest(error_of, chat_config):
    chat_config["model_type"] = "lama"
    assert error_of(chat_config) == (
        f'{FILE}: $.model_type: unknown model_type "lama"; did you mean llama? '
        f"(known: {', '.join(config.families())})"
    )


def test_unknown_quantization_with_the_nearest(error_of, chat_config):
    chat_config["quantization"] = "q4f16_2"
    assert error_of(chat_config) == (
        f'{FILE}: $.quantization: unknown quantization "q4f16_2"; '
        f"did you mean q4f16_1? (known: {', '.join(config.quantizations())})"
    )


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        (
            "num_key_value_heads",
            3,
            "3 does not divide num_attention_heads 8; expected one of 1, 2, 4, 8",
        ),
        (
            "num_attention_heads",
            10,
            "10 does not divide hidden_size 256; expected one of 1, 2, 4, 8, 16, 32, 64, 128, 256",
        ),
    ],
)
def test_head_counts_that_do_not_divide(error_of, chat_config, field, value, problem):
    chat_config["model_config"].update({"head_dim": None, field: value})
    assert error_of(chat_config) == f"{FILE}: $.model_config.{field}: {problem}"


def test_a_number_with_many_divisors_is_not_spelled_out(error_of, chat_config):
    chat_config["model_config"].update(hidden_size=1440, head_dim=None, num_attention_heads=14)
    chat_config["model_config"]["num_key_value_heads"] = 2
    assert error_of(chat_config) == (
        f"{FILE}: $.model_config.num_attention_heads: "
        "14 does not divide hidden_size 1440; expected a divisor of 1440"
    )


def test_config_that_is_no_object(error_of):
    assert error_of([]) == f"{FILE}: $: expected an object, got []"


def test_a_long_value_is_cut(error_of, chat_config):
    chat_config["model_config"]["head_dim"] = "x" * 500
    place = f"{FILE}: $.model_config.head_dim"
    assert error_of(chat_config) == (f'{place}: expected a positive integer, got "{"x" * 59}...')


def test_syntax_error_names_line_and_column(error_of):
    line = error_of('{\n  "model_type": "llama",\n}')
    assert line == f"{FILE}:2:24: a comma before the closing bracket; remove it"
