"""The compile key holds what decides the library's bytes, as upstream's loader would set it."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from tools import config
from tools.cli import UserError
from tools.config import build_key, families, load_key


def test_key_of_a_plain_config(run, chat_config, tmp_path):
    key = run(chat_config)
    assert key == {
        "device": "android",
        "model_config": {
            "active_vocab_size": None,
            "attention_sink_size": -1,
            "context_window_size": 2048,
            "disaggregation": False,
            "head_dim": 32,
            "hidden_size": 256,
            "intermediate_size": 768,
            "max_batch_size": 4,
            "num_attention_heads": 8,
            "num_hidden_layers": 4,
            "num_key_value_heads": 2,
            "pipeline_parallel_stages": 1,
            "position_embedding_base": 10000.0,
            "prefill_chunk_size": 1024,
            "rms_norm_eps": 1e-05,
            "rope_scaling": None,
            "sliding_window_size": -1,
            "tensor_parallel_shards": 1,
            "tie_word_embeddings": True,
            "vocab_size": 512,
        },
        "model_lib": key["model_lib"],
        "model_type": "llama",
        "notes": [],
        "quantization": "q4f16_1",
    }
    text = (tmp_path / "key.json").read_text(encoding="utf-8")
    assert text == json.dumps(key, indent=2, sort_keys=True) + "\n"


def test_chat_fields_do_not_reach_the_key(run, chat_config, tmp_path):
    run(chat_config)
    before = (tmp_path / "key.json").read_bytes()
    chat_config.update(temperature=1.9, top_p=0.1, conv_template={}, bos_token_id=7)
    chat_config.update(tokenizer_files=[], presence_penalty=0.5, some_new_field={"a": 1})
    chat_config["model_config"]["unknown_field"] = "ignored"
    run(dict(reversed(chat_config.items())))
    assert (tmp_path / "key.json").read_bytes() == before


@pytest.mark.parametrize(
    "change",
    [
        ("--overrides", '{"context_window_size": 1024}'),
        ("--overrides", '{"max_batch_size": 8}'),
        ("--overrides", '{"disaggregation": true}'),
        ("--target", '{"max_threads_per_block": 512}'),
    ],
)
def test_what_is_compiled_changes_the_name(run, chat_config, change):
    assert run(chat_config)["model_lib"] != run(chat_config, *change)["model_lib"]


def test_each_device_has_its_own_name(run, chat_config):
    devices = config.devices()
    names = {run(chat_config, device=device)["model_lib"] for device in devices}
    assert len(names) == len(devices)


def test_name_is_the_md5_of_the_rest(run, chat_config):
    key = run(chat_config, "--overrides", '{"context_window_size": 512}')
    assert key["notes"]
    rest = {name: value for name, value in key.items() if name not in ("model_lib", "notes")}
    text = json.dumps(rest, indent=2, sort_keys=True) + "\n"
    md5 = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    assert key["model_lib"] == f"llama_q4f16_1_{md5}"
    assert re.fullmatch("[a-zA-Z_][a-zA-Z0-9_]*", key["model_lib"])


def test_hyphens_of_a_given_name_become_underscores(run, chat_config):
    key = run(chat_config, "--model-lib", "Llama-3_2-1B")
    assert key["model_lib"] == "Llama_3_2_1B"


def test_same_settings_have_one_key_however_written(run, chat_config):
    first = run(chat_config)
    chat_config["model_config"].update(position_embedding_base=10000.0, hidden_size=256.0)
    chat_config["context_window_size"] = None
    assert run(chat_config) == first
    assert run(chat_config, "--overrides", '{"context_window_size": 2048}') == first
    assert run(chat_config, "--opt", "O2") == first
    assert run(chat_config, "--overrides", '{"opt": "O2"}') == first


def test_top_level_wins_over_model_config_and_overrides_over_both(run, chat_config):
    chat_config["model_config"]["context_window_size"] = 111
    assert run(chat_config)["model_config"]["context_window_size"] == 2048
    key = run(chat_config, "--overrides", '{"context_window_size": 4096}')
    assert key["model_config"]["context_window_size"] == 4096
    del chat_config["context_window_size"]
    chat_config["prefill_chunk_size"] = 100
    assert run(chat_config)["model_config"]["context_window_size"] == 111


def test_minus_one_keeps_the_models_own_window(run, chat_config):
    overrides = '{"context_window_size": -1, "sliding_window_size": -1, "attention_sink_size": -1}'
    assert run(chat_config, "--overrides", overrides) == run(chat_config)


def test_sink_size_of_a_family_without_sinks_is_not_in_the_key(run, chat_config):
    first = run(chat_config)
    assert run({**chat_config, "attention_sink_size": 4}) == first


def test_defaults_are_upstreams(run, chat_config):
    model_config = {
        "hidden_size": 256,
        "intermediate_size": 768,
        "num_attention_heads": 8,
        "num_hidden_layers": 4,
        "rms_norm_eps": 1e-05,
        "vocab_size": 512,
        "max_position_embeddings": 131072,
        "rope_theta": 500000.0,
    }
    key = run({"model_type": "llama", "quantization": "q0f32", "model_config": model_config})
    config = key["model_config"]
    assert config["context_window_size"] == 131072
    assert config["prefill_chunk_size"] == 8192
    assert config["position_embedding_base"] == 500000.0
    assert config["num_key_value_heads"] == 8
    assert config["head_dim"] == 32
    assert config["tie_word_embeddings"] is False
    assert config["rope_scaling"] is None
    assert [config[f] for f in ("max_batch_size", "tensor_parallel_shards")] == [1, 1]
    assert [config[f] for f in ("pipeline_parallel_stages", "disaggregation")] == [1, False]
    assert [config[f] for f in ("sliding_window_size", "attention_sink_size")] == [-1, -1]
    assert key["notes"] == []


def test_oldest_name_of_the_context_comes_last(run, chat_config):
    del chat_config["context_window_size"], chat_config["model_config"]["context_window_size"]
    chat_config["model_config"]["max_sequence_length"] = 4096
    assert run(chat_config)["model_config"]["context_window_size"] == 4096
    chat_config["model_config"]["max_position_embeddings"] = 8192
    assert run(chat_config)["model_config"]["context_window_size"] == 8192


def test_position_embedding_base_wins_over_rope_theta_and_defaults(run, chat_config):
    chat_config["model_config"]["rope_theta"] = 5
    assert run(chat_config)["model_config"]["position_embedding_base"] == 10000.0
    del chat_config["model_config"]["position_embedding_base"]
    assert run(chat_config)["model_config"]["position_embedding_base"] == 5.0
    del chat_config["model_config"]["rope_theta"]
    assert run(chat_config)["model_config"]["position_embedding_base"] == 10000.0


def test_chunk_larger_than_the_context_is_clamped_with_a_note(run, chat_config, capsys):
    key = run(chat_config, "--overrides", '{"context_window_size": 768}')
    note = "prefill_chunk_size 1024 clamped to context_window_size 768"
    assert key["model_config"]["prefill_chunk_size"] == 768
    assert key["notes"] == [note]
    assert capsys.readouterr().out == f"mlc-chat-config.json: {note}\n"


def test_clamped_chunk_has_upstreams_upper_bound(run, chat_config):
    overrides = '{"context_window_size": 10000, "prefill_chunk_size": 20000}'
    key = run(chat_config, "--overrides", overrides)
    assert key["model_config"]["prefill_chunk_size"] == 8192
    note = "prefill_chunk_size 20000 clamped to 8192, context_window_size being 10000"
    assert key["notes"] == [note]


def test_default_chunk_follows_the_models_context_not_the_override(run, chat_config):
    del chat_config["prefill_chunk_size"], chat_config["model_config"]["prefill_chunk_size"]
    key = run(chat_config, "--overrides", '{"context_window_size": 4096}')
    assert key["model_config"]["prefill_chunk_size"] == 2048


def test_rope_scaling_is_kept_without_what_llama_does_not_read(run, chat_config):
    scaling = {
        "rope_type": "llama3",
        "factor": 32,
        "low_freq_factor": 1,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 8192,
    }
    chat_config["model_config"]["rope_scaling"] = {**scaling, "type": "llama3"}
    config = run(chat_config)["model_config"]
    assert config["rope_scaling"] == scaling
    assert isinstance(config["rope_scaling"]["factor"], float)
    assert isinstance(config["rope_scaling"]["original_max_position_embeddings"], int)


def test_rope_scaling_without_a_type_is_ignored_with_a_note(run, chat_config):
    chat_config["model_config"]["rope_scaling"] = {"type": "linear", "factor": 2.0}
    key = run(chat_config)
    assert key["model_config"]["rope_scaling"] is None
    assert key["notes"] == ["rope_scaling has no rope_type: ignored"]


@pytest.mark.parametrize(("given", "kept"), [(300, 300), (0, None), (-1, None), (None, None)])
def test_active_vocab_size_is_compiled_in(run, chat_config, given, kept):
    key = run({**chat_config, "active_vocab_size": given})
    assert key["model_config"]["active_vocab_size"] == kept


def test_key_is_read_back(run, chat_config, tmp_path):
    key = run(chat_config, "--overrides", '{"context_window_size": 512}')
    assert load_key(tmp_path / "key.json").to_json() == key


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"extra": 1},
            "not a compile key; expected the fields device, model_config, model_lib, "
            "model_type, notes, quantization, and may have architectures, optimizations, target",
        ),
        (
            {"device": "cpu"},
            "$.device: cpu needs an architecture; "
            "expected cpu:aarch64-linux, cpu:arm64-macos or cpu:x86_64-linux",
        ),
        (
            {"quantization": "q4"},
            '$.quantization: unknown quantization "q4"; expected one of '
            + ", ".join(config.quantizations()),
        ),
        (
            {"target": {"max_threads": 1}},
            "$.target.max_threads: opencl has no such attribute; did you mean max_num_threads? "
            "(known: device, host.fast-math, host.mattr, host.mcpu, host.mtriple, "
            "host.num-cores, host.opt-level, host.vector-width, image_base_address_alignment, "
            "max_function_args, max_num_threads, max_shared_memory_per_block, "
            "max_threads_per_block, texture_depth_limit, texture_spatial_limit, "
            "thread_warp_size)",
        ),
        (
            {"model_type": "rwkv"},
            '$.model_type: unknown model_type "rwkv"; expected one of ' + ", ".join(families()),
        ),
        (
            {"model_lib": "a.b"},
            '$.model_lib: "a.b" cannot be the prefix of a symbol; expected letters, digits, '
            '"_" and "-", not beginning with a digit',
        ),
    ],
)
def test_key_that_was_tampered_with(run, chat_config, tmp_path, change, line):
    key = {**run(chat_config), **change}
    (tmp_path / "key.json").write_text(json.dumps(key), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        load_key("key.json")
    assert str(caught.value) == f"key.json: {line}"


def test_quantization_can_be_given_in_place_of_the_configs(chat_config):
    key = build_key(chat_config, "iphone", quantization="q0f16")
    assert (key.quantization, key.model_lib[:12]) == ("q0f16", "llama_q0f16_")
    with pytest.raises(UserError, match=r"^//a:b quantization: unknown quantization \"q9\""):
        build_key(chat_config, "iphone", quantization="q9", where="//a:b")
