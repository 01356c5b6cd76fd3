"""A conversion is complete, exact and the same in every run, or it leaves nothing."""

from __future__ import annotations

import json
import re

import ml_dtypes  # noqa: F401 - makes bfloat16 a dtype of numpy
import numpy as np
import pytest
import tvm
from tvm.contrib import tvmjs

from tests.unit.convert_weight.conftest import llama_tensors, parameters, write_safetensors
from tools import config
from tools.cli import UserError
from tools.convert_weight import __main__ as command
from tools.convert_weight import convert as convert_module
from tools.convert_weight import shards
from tools.convert_weight.family import Piece
from tools.convert_weight.sources import Part
from tools.convert_weight.tensor import Tensor
from tools.weights.digest import digest

QKV = "model.layers.0.self_attn.{}_proj.weight"


def loaded(directory) -> dict[str, np.ndarray]:
    arrays, _ = tvmjs.load_tensor_cache(str(directory), tvm.cpu())
    return {name: array.numpy() for name, array in arrays.items()}


def stored(quantization: str) -> list[dict]:
    return [each for weight in parameters(quantization)["weights"] for each in weight["stored"]]


@pytest.mark.parametrize("quantization", config.quantizations())
def test_every_parameter(run, quantization):
    """What TVM loads are the library's parameters: names, shapes and types."""
    directory, _ = run(llama_tensors(), quantization)
    found = loaded(directory)
    expected = stored(quantization)
    assert list(found) == [each["name"] for each in expected]
    for each in expected:
        assert list(found[each["name"]].shape) == each["shape"]
        assert found[each["name"]].dtype.name == each["dtype"]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_values_without_quantization(run, dtype):
    """Tensors are joined, and rounded once; float32 is kept with 8 bits, as upstream keeps it."""
    tensors = llama_tensors()
    directory, _ = run(
        tensors, {"float16": "q0f16", "float32": "q0f32", "bfloat16": "q0bf16"}[dtype]
    )
    joined = np.concatenate([tensors[QKV.format(part)] for part in "qkv"])
    rounded = joined.astype("float16" if dtype == "float16" else "bfloat16")
    found = loaded(directory)["model.layers.0.self_attn.qkv_proj.weight"]
    assert np.array_equal(found.astype(np.float32), rounded.astype(np.float32))


@pytest.mark.parametrize("bits", [3, 4])
def test_layout_kn_is_the_transpose(run, bits):
    """Of linear layers, not of the embedding."""
    by_layout = [
        loaded(run(llama_tensors(), f"q{bits}f16_{layout}", output=layout)[0]) for layout in "01"
    ]
    for name, array in by_layout[1].items():
        other = by_layout[0][name]
        is_linear = ".q_" in name and "embed" not in name
        assert np.array_equal(other.T if is_linear else other, array), name


@pytest.mark.parametrize("quantization", ["q0f32", "q3f16_0", "q4f16_1"])
def test_workers_and_blocks_change_nothing(run, quantization, monkeypatch):
    """One thread, several, and blocks that cut every weight: the same bytes and digests."""
    one, digests = run(llama_tensors(), quantization, workers=1, output="one")
    monkeypatch.setattr(convert_module, "_BLOCK", 700)
    many, others = run(llama_tensors(), quantization, workers=5, output="many")
    assert others == digests
    for name, entry in digests.items():
        assert (one / name).read_bytes() == (many / name).read_bytes()
        assert digest(one / name) == entry
    assert {path.name for path in one.iterdir()} == set(digests)


def test_the_output_is_as_tvm_writes_it(run, tmp_path, monkeypatch):
    """The same shards and records as TVM's own writer makes of the same arrays."""
    monkeypatch.setattr(shards, "_CAPACITY", 1 << 13)
    directory, _ = run(llama_tensors())
    arrays, metadata = tvmjs.load_tensor_cache(str(directory), tvm.cpu())
    manager = tvmjs.TensorCacheShardingManager(str(tmp_path), "params_shard", 1 << 13)
    for each in stored("q4f16_1"):
        name, array = each["name"], arrays[each["name"]]
        manager.append_or_update(
            array.numpy().tobytes(), name, list(array.shape), str(array.dtype), "f32-to-bf16"
        )
    cache = json.loads((directory / "tensor-cache.json").read_text())
    assert cache["records"] == manager.finish()
    assert len(cache["records"]) > 3
    assert metadata["ParamSize"] == len(arrays)
    assert metadata["ParamBytes"] == sum(array.numpy().nbytes for array in arrays.values())
    elements = sum(values.size for values in llama_tensors().values())
    assert metadata["BitsPerParam"] == 8 * metadata["ParamBytes"] / elements


def test_tied_embeddings(run):
    """A saved copy of the embedding as the output layer is left out."""
    directory, _ = run(llama_tensors(), tie_word_embeddings=True)
    assert "lm_head.q_weight" not in loaded(directory)


def _without(name):
    return {key: value for key, value in llama_tensors().items() if key != name}


def _with(name, values):
    return {**llama_tensors(), name: values}


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (
            _without("lm_head.weight"),
            "checkpoint: lacks lm_head.weight, which a llama of this config.json has; give all "
            "files of the checkpoint or set tie_word_embeddings in config.json, if the embedding "
            "takes its place",
        ),
        (
            _without(QKV.format("k")),
            "checkpoint: lacks model.layers.0.self_attn.k_proj.weight, which a llama",
        ),
        (
            _with("model.layers.0.self_attn.q_proj.bias", np.zeros(64, np.float32)),
            "checkpoint: has model.layers.0.self_attn.q_proj.bias, which a llama of this "
            "config.json does not use",
        ),
        (
            _with(QKV.format("v"), np.zeros((64, 64), np.float32)),
            "model.layers.0.self_attn.qkv_proj.weight is made of [64, 64] and [32, 64] and "
            "[64, 64], and has to be [128, 64] by config.json",
        ),
        (
            _with("model.norm.weight", np.zeros((64, 1), np.float32)),
            "model.norm.weight is made of [64, 1], and has to be [64] by config.json",
        ),
        (
            _with("model.norm.weight", np.full(64, 1e5, np.float32)),
            "model.norm.weight has a value that is not finite in float16",
        ),
        (
            _with("lm_head.weight", np.full((90, 64), np.nan, np.float32)),
            "lm_head.weight has a value that is not finite in float16",
        ),
    ],
)
def test_errors(run, tmp_path, tensors, message):
    """One line, and nothing is left in the output."""
    with pytest.raises(UserError, match=re.escape(message)) as raised:
        run(tensors)
    assert len(str(raised.value).splitlines()) == 1
    assert not (tmp_path / "converted").exists() or not list((tmp_path / "converted").iterdir())


def test_an_output_that_is_not_empty(run, tmp_path):
    """Shards of another conversion are not mixed with new ones."""
    run(llama_tensors())
    with pytest.raises(UserError, match="converted: is not empty; give a new directory"):
        run(llama_tensors())


def test_ignored_tensors(run):
    """Angles of RoPE, which are computed."""
    name = "model.layers.0.self_attn.rotary_emb.inv_freq"
    run(_with(name, np.zeros(8, np.float32)))


def test_the_command(tmp_path):
    """Digests and a second tensor-cache.json, where asked for."""
    path = write_safetensors(tmp_path / "model.safetensors", llama_tensors())
    spec = tmp_path / "parameters.json"
    spec.write_text(json.dumps(parameters("q4f16_1")))
    arguments = ["--parameters", str(spec), "--output", str(tmp_path / "out"), path]
    extra = ["--digests", str(tmp_path / "d.json"), "--tensor-cache", str(tmp_path / "t.json")]
    command.main([*arguments, *extra])
    digests = json.loads((tmp_path / "d.json").read_text())
    assert set(digests) == {"params_shard_0.bin", "tensor-cache.json"}
    assert (tmp_path / "t.json").read_bytes() == (tmp_path / "out/tensor-cache.json").read_bytes()
    with pytest.raises(UserError, match="--workers: expected at least 1, got 0"):
        command.main([*arguments, "--workers", "0"])


@pytest.mark.parametrize(("sum_dtype", "bits"), [(None, 8), ("float32", 24)])
def test_one_is_added_in_the_tensors_type(tmp_path, sum_dtype, bits):
    """A gemma's norm of bfloat16 is rounded in the sum, but for PyTorch's files, as upstream."""
    path = tmp_path / "norm"
    path.write_bytes(np.uint16([0x3C01]).tobytes())
    part = Part(Tensor(str(path), "bfloat16", (1,), 0, sum_dtype=sum_dtype), Piece("", None, True))
    small = float.fromhex("0x1.02p-7")
    expected = 1 + small if bits == 24 else 1 + 2**-7
    assert part.values(part.array())[0] == np.float32(expected)
