"""Every mistake of a package config is refused in one line that says where it is."""

from __future__ import annotations

import json

import pytest


def edited(config, path, value):
    """`config` with `value` at `path`; with None, without what is there."""
    *parents, last = path
    target = config
    for part in parents:
        target = target[part]
    if value is None:
        del target[last]
    else:
        target[last] = value
    return config


def test_no_mistake(load, config):
    assert load(config).warnings == []


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["device"], "iphnoe", "$.device: expected android, iphone or macabi, or another device"),
        (["device"], [], "$.device: expected android"),
        (["device"], ["iphone", "iphone"], "$.device: expected android"),
        (["device"], None, "$.device: missing; expected android"),
        (["model_list"], None, "$.model_list: missing; expected a list of at least one model"),
        (["model_list"], [], "$.model_list: expected a list of at least one model, got []"),
        (["model_list"], {}, "$.model_list: expected a list of at least one model, got {}"),
        (["model_list", 0], "phi", '$.model_list[0]: expected an object, a model, got "phi"'),
        (["model_list", 0, "model"], None, "$.model_list[0].model: missing; expected HF://org"),
        (["model_list", 0, "model"], 3, "$.model_list[0].model: expected HF://org/repo or the d"),
        (["model_list", 0, "model"], "HF://phi", '$.model_list[0].model: "HF://phi" names no rep'),
        (["model_list", 0, "model"], "HF://a/b/c", "$.model_list[0].model: "),
        (["model_list", 0, "model"], "https://x.org/a/b", "$.model_list[0].model: "),
        (["model_list", 0, "model_id"], None, "$.model_list[0].model_id: missing; expected at mo"),
        (["model_list", 0, "model_id"], "../../x", "$.model_list[0].model_id: expected at most"),
        (["model_list", 0, "model_id"], "/x", "$.model_list[0].model_id: expected at most"),
        (["model_list", 0, "model_id"], "x\n", "$.model_list[0].model_id: expected at most"),
        (["model_list", 0, "model_id"], "..", "$.model_list[0].model_id: expected at most"),
        (["model_list", 0, "model_id"], "mlc-app-config.json", "$.model_list[0].model_id: expec"),
        (["model_list", 0, "model_id"], "x" * 201, "$.model_list[0].model_id: expected at most"),
        (
            ["model_list", 0, "model_id"],
            "PHI",
            '$.model_list[1].model_id: "phi" is taken by $.model_list[0]; give each model its own',
        ),
        (["model_list", 0, "estimated_vram_bytes"], "3", "$.model_list[0].estimated_vram_bytes: e"),
        (["model_list", 0, "estimated_vram_bytes"], True, "$.model_list[0].estimated_vram_bytes"),
        (["model_list", 0, "estimated_vram_bytes"], 0, "$.model_list[0].estimated_vram_bytes"),
        (["model_list", 0, "estimated_vram_bytes"], 1 << 63, "$.model_list[0].estimated_vram_byte"),
        (
            ["model_list", 0, "estimated_vram_bytes"],
            None,
            "$.model_list[0].estimated_vram_bytes: m",
        ),
        (["model_list", 0, "bundle_weight"], "yes", "$.model_list[0].bundle_weight: expected true"),
        (["model_list", 1, "bundle_weight"], False, "$.model_list[1].bundle_weight: no app can do"),
        (["model_list", 1, "bundle_weight"], None, "$.model_list[1].model: no app can download a"),
        (["model_list", 1, "model"], "./a\0b", "$.model_list[1].model: expected HF://org/repo o"),
        (["model_list", 1, "model"], "./none", "$.model_list[1].model: there is no directory /"),
        (["model_list", 1, "model"], "./My models (new)", "$.model_list[1].model: /"),
        (["model_list", 0, "overrides"], [], "$.model_list[0].overrides: expected an object"),
        (
            ["model_list", 0, "overrides", "prefill_chunk_size"],
            -5,
            "$.model_list[0].overrides.prefill_chunk_size: expected a positive integer, got -5",
        ),
        (["model_list", 0, "overrides", "opt"], "O4", "$.model_list[0].overrides.opt: expected O0"),
        (
            ["model_list", 0, "overrides", "x"],
            1,
            "$.model_list[0].overrides.x: unknown override; expected one of attention_sink_size",
        ),
        (
            ["model_list", 0, "overrides", "_prefill_chunk_size"],
            1,
            "$.model_list[0].overrides._prefill_chunk_size: unknown override; did you mean prefill",
        ),
        (["model_list", 0, "model_lib"], "a.b", "$.model_list[0].model_lib: expected letters, di"),
        (
            ["model_list", 0, "model_idd"],
            1,
            "$.model_list[0].model_idd: unknown key; did you mean ",
        ),
        (["model_list", 0, "Bundle-Weight"], 1, "$.model_list[0].Bundle-Weight: unknown key; did "),
        (["models_list"], 1, "$.models_list: unknown key; did you mean model_list?"),
        (
            ["model_lib_path_for_prepare_libs"],
            [],
            "$.model_lib_path_for_prepare_libs: expected an ",
        ),
        (
            ["model_lib_path_for_prepare_libs"],
            {"1x": "x"},
            "$.model_lib_path_for_prepare_libs: expected a model_lib: letters",
        ),
    ],
)
def test_mistake(errors, config, path, value, message):
    lines = errors(edited(config, path, value))
    assert len([line for line in lines if f" {message}" in line]) == 1
    assert len(lines) == (2 if "1x" in str(value) else 1)


def test_place_is_that_of_the_value_or_of_the_unknown_key(errors):
    text = b"""{"device":
  "x", "model_list": [
 {"model": "HF://a/b", "model_idd": 1,
"model_id": 2}]}"""
    assert [line.split(": ")[:2] for line in errors(text)] == [
        ["c.json:2:3", "$.device"],
        ["c.json:3:2", "$.model_list[0].estimated_vram_bytes"],
        ["c.json:3:24", "$.model_list[0].model_idd"],
        ["c.json:4:13", "$.model_list[0].model_id"],
    ]


def test_model_of_the_hub_without_its_scheme(errors, config):
    (line,) = errors(edited(config, ["model_list", 1, "model"], "mlc-ai/phi-2"))
    assert line.endswith(", or HF://mlc-ai/phi-2")


def test_config_in_the_directory_of_its_model(errors, folder, config):
    """What is installed beside the config does not become part of the model."""
    (folder / "mlc-chat-config.json").write_text("{}")
    (line,) = errors(edited(config, ["model_list", 1, "model"], "./"))
    assert line.endswith("would become part of the model; move the file out of it")


def test_library_of_two_models_with_different_overrides(errors, load, config):
    first, second = config["model_list"]
    second["model_lib"] = "qwen3_q0f16"
    (line,) = errors(config)
    assert line.partition(": ")[2] == (
        '$.model_list[1].model_lib: "qwen3_q0f16" is the library of $.model_list[0], too, whose '
        "overrides differ in opt, prefill_chunk_size; name them apart, or leave model_lib out"
    )
    second["overrides"] = {**first["overrides"], "context_window_size": -1, "max_batch_size": None}
    assert load(config).warnings == []


def test_two_paths_of_one_library(errors, folder, config):
    (folder / "a.tar").touch()
    config["model_lib_path_for_prepare_libs"] = {"a-b": "a.tar", "a_b": "./a.tar", "c": "none.tar"}
    lines = errors(config)
    assert [line.partition(": ")[2] for line in lines] == [
        '$.model_lib_path_for_prepare_libs.a_b: is the library "a-b", too, because "-" becomes '
        '"_"; keep one of them',
        f"$.model_lib_path_for_prepare_libs.c: there is no file {folder}/none.tar; expected a "
        "library, or no entry to compile one",
    ]


def test_unknown_key_is_a_warning_and_strictly_an_error(errors, load, config):
    config["model_list"][0].update({"model_url": "x", "group": 1, "name": 1, "bytes": 1})
    config["model_list"][0].update({"model_path": 1, "_note": "mine"})
    config.update({"_comment": [], "$schema": "x", "theme": {"model_id": 1}})
    warnings = load(config).warnings
    assert [line.split(": ")[1] for line in warnings] == ["$.model_list[0].model_url", "$.theme"]
    assert errors(config, strict=True) == warnings


def test_library_that_no_model_takes_is_a_warning(load, config, folder):
    (folder / "a.tar").touch()
    config["model_lib_path_for_prepare_libs"] = {"qwen3_q0f16": "a.tar", "qwen3": "a.tar"}
    (warning,) = load(config).warnings
    assert warning.endswith(": no model has this model_lib, so the library is not packaged")
    assert ": $.model_lib_path_for_prepare_libs.qwen3: " in warning


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b'{"device": "iphone",\n "device": "android"}', 'c.json:2:2: the key "device" appears tw'),
        (b'{"a": NaN}', "c.json:1:7: NaN is not a number that JSON can hold"),
        (b"\xef\xbb\xbf{}", "c.json:1:1: starts with a byte order mark"),
        (b'{"a": "\xff"}', "c.json:1:8: byte 0xff is not UTF-8"),
        (b"{\n// x\n}", "c.json:2:1: JSON has no comments"),
        (b'{"a": 1e999}', "c.json:1:7: 1e999 is not a number"),
        (b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}", "c.json:1:71: nested too deeply"),
        (b"[" * 100_000, "c.json: nested too deeply"),
        (b"", "c.json:1:1: is empty"),
        (b"[]", "c.json:1:1: $: expected an object, got []"),
        (b"null", "c.json:1:1: $: expected an object, got null"),
    ],
)
def test_file_that_is_no_config(errors, text, message):
    (line,) = errors(text)
    assert line.startswith(message)


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [[]], [{}], {"model": {}}, [1, "x"]])
@pytest.mark.parametrize(
    "path",
    [
        ["device"],
        ["model_list"],
        ["model_list", 0],
        ["model_list", 0, "model"],
        ["model_list", 0, "model_id"],
        ["model_list", 0, "overrides"],
        ["model_list", 0, "model_lib"],
        ["model_lib_path_for_prepare_libs"],
    ],
)
def test_any_type_anywhere_is_no_crash(load, config, path, value):
    from tools.cli import UserError

    text = json.dumps(edited(config, path, value) if value is not None else config)
    try:
        load(text.encode())
    except UserError as error:
        assert all(line.startswith("c.json:") for line in str(error).splitlines())
