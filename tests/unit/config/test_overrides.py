"""Every mistake in overrides or arguments is named with the target and how to mend it."""

from __future__ import annotations

import json

import pytest

from tools import config

KNOWN = (
    "attention_sink_size, context_window_size, disaggregation, max_batch_size, opt, "
    "pipeline_parallel_stages, prefill_chunk_size, sliding_window_size, tensor_parallel_shards"
)
WHERE = ("--where", "//app:lib")


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        (
            {"context_windw_size": 5},
            "//app:lib overrides.context_windw_size: unknown override; "
            f"did you mean context_window_size? (known: {KNOWN})",
        ),
        (
            {"zzz": 5},
            f"//app:lib overrides.zzz: unknown override; expected one of {KNOWN}",
        ),
        (
            {"context_window_size": -5},
            "//app:lib overrides.context_window_size: "
            "expected a positive integer, or -1 for none, got -5",
        ),
        (
            {"prefill_chunk_size": 0},
            "//app:lib overrides.prefill_chunk_size: expected a positive integer, got 0",
        ),
        (
            {"max_batch_size": "4"},
            '//app:lib overrides.max_batch_size: expected a positive integer, got "4"',
        ),
        (
            {"max_batch_size": 1.5},
            "//app:lib overrides.max_batch_size: expected a positive integer, got 1.5",
        ),
        (
            {"max_batch_size": True},
            "//app:lib overrides.max_batch_size: expected a positive integer, got true",
        ),
        (
            {"max_batch_size": 2**31},
            "//app:lib overrides.max_batch_size: "
            "expected a positive integer, at most 2147483647, got 2147483648",
        ),
        (
            {"disaggregation": 1},
            "//app:lib overrides.disaggregation: expected true or false, got 1",
        ),
        (
            {"opt": "O4"},
            '//app:lib overrides.opt: expected O0, O1, O2 or O3, got "O4"',
        ),
        (
            {"sliding_window_size": 1024},
            "//app:lib overrides.sliding_window_size: "
            "expected -1 (llama has no sliding window), got 1024",
        ),
        (
            {"attention_sink_size": 4},
            "//app:lib overrides.attention_sink_size: llama has no attention_sink_size; remove it",
        ),
        (
            {"tensor_parallel_shards": 0},
            "//app:lib overrides.tensor_parallel_shards: expected an integer from 1 to 1024, got 0",
        ),
        (
            {"tensor_parallel_shards": 2},
            "//app:lib overrides.tensor_parallel_shards: "
            "2 is more than a library for android can run on; set it to 1",
        ),
        ([], "//app:lib overrides: expected an object, got []"),
    ],
)
def test_mistake_in_overrides(error_of, chat_config, overrides, line):
    assert error_of(chat_config, "--overrides", json.dumps(overrides), *WHERE) == line


def test_all_mistakes_are_shown_at_once(error_of, chat_config):
    overrides = '{"max_batch_size": 0, "prefil_chunk_size": 1, "disaggregation": null}'
    assert error_of(chat_config, "--overrides", overrides, *WHERE).splitlines() == [
        "//app:lib overrides.prefil_chunk_size: unknown override; "
        f"did you mean prefill_chunk_size? (known: {KNOWN})",
        "//app:lib overrides.disaggregation: expected true or false, got null",
        "//app:lib overrides.max_batch_size: expected a positive integer, got 0",
    ]


def test_shards_that_do_not_divide_are_named_too(error_of, chat_config):
    lines = error_of(chat_config, "--overrides", '{"tensor_parallel_shards": 3}').splitlines()
    assert lines == [
        "overrides.tensor_parallel_shards: "
        "3 is more than a library for android can run on; set it to 1",
        "overrides.tensor_parallel_shards: "
        "3 does not divide num_attention_heads 8; expected one of 1, 2, 4, 8",
        "overrides.tensor_parallel_shards: "
        "3 does not divide num_key_value_heads 2; expected one of 1, 2",
    ]


def test_more_stages_than_layers(error_of, chat_config):
    lines = error_of(chat_config, "--overrides", '{"pipeline_parallel_stages": 5}').splitlines()
    assert lines[-1] == (
        "overrides.pipeline_parallel_stages: 5 is more than num_hidden_layers 4; "
        "expected at most that"
    )


def test_syntax_error_in_overrides_has_a_column(error_of, chat_config):
    line = error_of(chat_config, "--overrides", '{"a": 1, "a": 2}', *WHERE)
    assert line == (
        '//app:lib overrides:1:10: the key "a" appears twice in one object; keep one of them'
    )


def test_unknown_device(error_of, chat_config):
    assert error_of(chat_config, *WHERE, device="adroid") == (
        '//app:lib device: unknown device "adroid"; did you mean android? (known: '
        f"{', '.join(config.devices())})"
    )


def test_cpu_needs_an_architecture(error_of, chat_config):
    assert error_of(chat_config, device="cpu") == (
        "device: cpu needs an architecture; "
        "expected cpu:aarch64-linux, cpu:arm64-macos or cpu:x86_64-linux"
    )


@pytest.mark.parametrize("name", ["", "1llama", "a.b", "a b", "ä", "../x"])
def test_bad_model_lib(error_of, chat_config, name):
    assert error_of(chat_config, "--model-lib", name, *WHERE) == (
        f'//app:lib model_lib: "{name}" cannot be the prefix of a symbol; expected letters, '
        'digits, "_" and "-", not beginning with a digit'
    )


def test_bad_opt(error_of, chat_config):
    line = error_of(chat_config, "--opt", "3", *WHERE)
    assert line == '//app:lib opt: expected O0, O1, O2 or O3, got "3"'


def test_two_different_opts(error_of, chat_config):
    line = error_of(chat_config, "--opt", "O1", "--overrides", '{"opt": "O3"}', *WHERE)
    assert line == "//app:lib opt: O1 here and O3 in overrides.opt; remove one of them"
