"""What a model exports is what upstream's definition of it exports; published weights fit it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import tvm

from tools import config
from tools.cli import UserError
from tools.compiler.__main__ import main
from tools.compiler.build import export_functions
from tools.compiler.describe import describe, signatures
from tools.compiler.families import FAMILIES, create_model
from tools.compiler.metadata import library_metadata
from tools.compiler.quantization import create_quantization

HERE = Path(__file__).parent
ABI = sorted((HERE.parents[1] / "data/abi").glob("*.json"))
# Of tests/conformance/make_abi.py.
SMALL = [path for path in ABI if path.stem.startswith("small_")]


def test_every_family_has_examples():
    """No family's interface is left unproven: it has a file, or a test of its own beside this."""
    covered = {json.loads(path.read_text())["model_type"] for path in ABI}
    covered |= {name for name in FAMILIES if (HERE / f"test_describe_{name}.py").exists()}
    models = {FAMILIES[model_type].model for model_type in covered}
    assert models == {family.model for family in FAMILIES.values()}


@pytest.mark.parametrize("path", ABI, ids=[path.stem for path in ABI])
def test_describe_equals_upstream(path):
    """Parameters: names, shapes, dtypes, order. Functions: names and signatures."""
    expected = json.loads(path.read_text())
    result = describe(config.build_key(expected, "android"))
    assert result["params"] == expected["params"]
    assert result["functions"].keys() == expected["functions"].keys()
    for name, signature in expected["functions"].items():
        assert result["functions"][name] == signature, name


@pytest.mark.parametrize("path", SMALL, ids=[path.stem for path in SMALL])
def test_metadata_equals_upstream(path):
    """What a library says of itself, beside its parameters and its memory."""
    expected = json.loads(path.read_text())
    key = config.build_key(expected, "android")
    quantization = create_quantization(key.quantization, tvm.target.Target(key.tvm_target()))
    model = create_model(key.model_type, key.model_config, quantization)
    metadata = library_metadata(key, model, parameters=[])
    assert metadata == {**expected["metadata"], "params": []}


def test_description_is_of_the_library(small_key):
    """A library's functions have the signatures that are described; the cache's is made apart."""
    key = small_key("android")
    target = tvm.target.Target(key.tvm_target())
    model = create_model("llama", key.model_config, create_quantization(key.quantization, target))
    functions = signatures(export_functions(key, model, target)[0])
    for name, signature in describe(key)["functions"].items():
        emitted = {"create_paged_kv_cache": "create_tir_paged_kv_cache"}.get(name, name)
        assert functions[emitted] == signature, name


def test_command_prints_it(capsys):
    """The command takes such a file as a config, and another quantization in place of its own."""
    path = next(path for path in ABI if path.stem == "llama3_2_1b-q4f16_1")
    main(["describe", "--config", str(path), "--quantization", "q0f32"])
    printed = json.loads(capsys.readouterr().out)
    expected = json.loads(path.with_name("llama3_2_1b-q0f32.json").read_text())
    assert printed == {name: expected[name] for name in ("params", "functions")}


def test_an_unknown_quantization_is_one_line():
    """A wrong name is named, with what there is."""
    arguments = ["describe", "--config", str(ABI[0]), "--quantization", "q9f16_1"]
    with pytest.raises(UserError, match="q9f16_1"):
        main(arguments)
