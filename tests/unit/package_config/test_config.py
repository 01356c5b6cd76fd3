"""A package config is read as upstream reads it: defaults, paths, addresses, overrides."""

from __future__ import annotations

import json

import pytest

from tools import package_config
from tools.config import registry
from tools.package_config.__main__ import main
from tools.package_config.mistakes import devices, schema


def test_every_field(load, config, folder):
    (folder / "my lib.tar").touch()
    config["model_lib_path_for_prepare_libs"] = {"qwen3-q0f16": "my lib.tar"}
    read = load(config).config
    assert read.to_json() == {
        "devices": ["android"],
        "models": [
            {
                "model_id": "Qwen3-0.6B-q0f16-MLC",
                "repo": "mlc-ai/Qwen3-0.6B-q0f16-MLC",
                "directory": None,
                "estimated_vram_bytes": 3000000000,
                "bundle_weight": False,
                "overrides": {"prefill_chunk_size": 128},
                "opt": "O3",
                "model_lib": "qwen3-q0f16",
            },
            {
                "model_id": "phi",
                "repo": None,
                "directory": str(folder / "My models (new)/phi"),
                "estimated_vram_bytes": 1,
                "bundle_weight": True,
                "overrides": {},
                "opt": "O2",
                "model_lib": None,
            },
        ],
        "libraries": {"qwen3_q0f16": str(folder / "my lib.tar")},
    }


@pytest.mark.parametrize(
    ("model", "repo"),
    [
        ("HF://mlc-ai/phi", "mlc-ai/phi"),
        ("hf://mlc-ai/phi/", "mlc-ai/phi"),
        ("https://huggingface.co/mlc-ai/phi", "mlc-ai/phi"),
    ],
)
def test_model_of_the_hub(load, config, model, repo):
    config["model_list"][0]["model"] = model
    assert load(config).config.models[0].repo == repo


def test_absolute_directory(load, config, folder):
    config["model_list"][1]["model"] = str(folder / "My models (new)" / "phi")
    assert load(config).config.models[1].directory == folder / "My models (new)" / "phi"


@pytest.mark.parametrize("chunk", [8, 128, 1024, 3400])
def test_prefill_chunk_sizes_of_published_configs(load, config, chunk):
    config["model_list"][0]["overrides"]["prefill_chunk_size"] = chunk
    assert load(config).config.models[0].overrides == {"prefill_chunk_size": chunk}


def test_overrides_that_leave_the_value_of_the_model(load, config):
    config["model_list"][0]["overrides"] = {
        "context_window_size": -1,
        "max_batch_size": None,
        "opt": None,
        "prefill_chunk_size": 2e3,
    }
    model = load(config).config.models[0]
    assert (model.overrides, model.opt) == ({"prefill_chunk_size": 2000}, "O2")


def test_files_of_a_model(tmp_path):
    for name in ("b.bin", "a.json", "sub/c", ".git/x", ".hidden", "README.md", "BUILD.bazel"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert package_config.model_files(tmp_path) == (["a.json", "b.bin", "sub/c"], [".", "sub"])


def test_schema_names_the_devices_and_overrides_that_there_are():
    """The published file stands alone; it must not fall behind what is compiled."""
    known = registry.devices()
    hosted = {name.partition(":")[0] for name in known} - {"android", "iphone", "macabi"}
    assert devices() == sorted({*known, *hosted})
    published = schema()["properties"]["model_list"]["items"]["properties"]["overrides"]
    assert list(published["properties"]) == list(registry.schema("overrides")["properties"])


@pytest.mark.parametrize("value", [-2, -1, 0, 1, 1024, 1025, 3400, 2**31, "4", 1.5, True, "O2"])
def test_schema_takes_the_overrides_that_a_compile_takes(value):
    import jsonschema

    from tools.config.schema import violations

    published = schema()["properties"]["model_list"]["items"]["properties"]["overrides"]
    for name in published["properties"]:
        good = jsonschema.Draft202012Validator(published).is_valid({name: value})
        assert good == (not list(violations({name: value}, "overrides", str))), name


def test_schema_is_one():
    import jsonschema

    jsonschema.Draft202012Validator.check_schema(schema())


def test_command(folder, config, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    config["theme"] = 1
    (folder / "c.json").write_text(json.dumps(config))
    main(["check", "c.json"])
    out, err = capsys.readouterr()
    assert json.loads(out)["devices"] == ["android"]
    assert err.startswith("warning: c.json:1:")
