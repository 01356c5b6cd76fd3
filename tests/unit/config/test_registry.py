"""The lists of families, quantizations and devices are consistent with each other."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tools import config
from tools.cli import UserError
from tools.config import registry
from tools.config.plain_name import path_problem, problem


def test_what_there_is():
    assert {name.partition(":")[0] for name in config.devices()} == {
        "android",
        "cpu",
        "cuda",
        "iphone",
        "macabi",
        "mali",
        "metal",
        "opencl",
        "webgpu",
    }


def test_schemas_are_valid_and_every_field_says_what_it_expects():
    from tools.config.schema import expected_text

    for name in ["common", "chat_config", "overrides", *config.families()]:
        jsonschema.Draft202012Validator.check_schema(registry.schema(name))
    for name in ["chat_config", "overrides", *config.families()]:
        for spec in registry.schema(name)["properties"].values():
            assert expected_text(spec)
    for definition in registry.schema("common")["$defs"].values():
        assert definition["x-expected"]


@pytest.mark.parametrize("family", config.families())
def test_rules_of_a_family_name_its_fields(family):
    schema = registry.schema(family)
    rules = ("x-divides", "x-at-most", "x-below", "x-either", "x-products")
    for pair in [pair for rule in rules for pair in schema.get(rule, ())]:
        assert {name.partition(".")[0] for name in pair} <= set(schema["properties"])
    assert schema.get("x-rotary", "vocab_size") in schema["properties"]


@pytest.mark.parametrize("name", config.quantizations())
def test_quantization(name):
    quantization = config.quantization(name)
    assert quantization.name == name
    if quantization.kind == "no-quant":
        assert (quantization.bits, quantization.group_size) == (None, None)
    else:
        words = int(quantization.storage_dtype.removeprefix("uint")) // quantization.bits
        assert quantization.group_size % words == 0
        assert quantization.layout in ("NK", "KN")


@pytest.mark.parametrize("name", config.devices())
def test_device_says_everything_that_the_host_code_depends_on(name):
    device = config.device(name)
    host = device.target.get("host", device.target)
    assert host["kind"] == "llvm"
    assert host["mtriple"]
    assert set(device.libraries) <= {"dylib", "so", "tar", "wasm"}
    assert "tar" in device.libraries
    assert device.object in ("elf", "macho", "wasm")
    assert device.bundled_entry in ("model_path", "model_url")
    assert device.kind == name.partition(":")[0]
    if device.kind == "cpu":
        # A CPU or a feature is named, so that TVM never asks the machine for its own.
        assert "mcpu" in host or "mattr" in host


def constants(name: str) -> dict[str, Any]:
    """Returns what a file of rules/private assigns to names, where it is a literal."""
    source = (Path(__file__).parents[3] / "rules/private" / name).read_text(encoding="utf-8")
    return {
        statement.targets[0].id: ast.literal_eval(statement.value)
        for statement in ast.parse(source).body
        if isinstance(statement, ast.Assign) and isinstance(statement.value, (ast.Dict, ast.List))
    }


def test_rules_know_the_same_models():
    """An attribute that names what does not exist is found while a BUILD file loads."""
    known = constants("models.bzl")
    assert known["FAMILIES"] == config.families()
    assert known["QUANTIZATIONS"] == config.quantizations()
    lacking = {}
    for family in config.families():
        for name in config.quantizations():
            try:
                registry.check_layout(config.quantization(name), family, "here")
            except UserError:
                lacking.setdefault(family, []).append(name)
    assert known["LACKING"] == lacking


def test_rules_know_the_same_devices():
    """The build files' table says the same of each device as what the compiler reads."""
    table = constants("devices.bzl")["DEVICES"]
    assert sorted(table) == config.devices()
    for name, properties in table.items():
        device = config.device(name)
        assert properties["libraries"] == device.libraries
        assert properties["object"] == device.object
        host = device.target.get("host", device.target)
        architecture = host["mtriple"].partition("-")[0].replace("arm64", "aarch64")
        assert properties["cpu"] == architecture


def test_iphone_objects_say_that_they_are_for_ios():
    assert config.device("iphone").target["host"]["mtriple"] == "arm64-apple-ios16.0"


@pytest.mark.parametrize("name", ["a", "a b (1)", "params_shard_0.bin", "..a", "é", "x" * 255])
def test_plain_names(name):
    assert problem(name) is None


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("", "is empty"),
        (".", "names a directory that is not its own"),
        ("..", "names a directory that is not its own"),
        ("a/b", "contains a slash"),
        ("/etc", "contains a slash"),
        ("a\\b", "contains a backslash"),
        ("a\0", "contains a control character"),
        ("a\n", "contains a control character"),
        ("\ud800", "is not valid Unicode"),
        ("x" * 256, "is longer than 255 bytes"),
        (None, "is not a string"),
    ],
)
def test_names_that_could_leave_their_directory(name, what):
    assert problem(name) == what


def test_paths():
    assert path_problem("a/b c/d") is None
    assert path_problem("/a") == "is absolute"
    assert path_problem("a/../b") == "names a directory that is not its own"
    assert path_problem("a//b") == "is empty"
    assert path_problem(3) == "is not a string"
