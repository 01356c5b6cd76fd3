"""The shipped model is whole: shards as recorded, parameters and tokenizer as the config says."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

MODEL = Path(__file__).parents[3] / "examples" / "quickstart" / "model"
GROUP, PER_WORD = 32, 8


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """mlc-chat-config.json."""
    return json.loads((MODEL / "mlc-chat-config.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def cache() -> dict[str, Any]:
    """tensor-cache.json."""
    return json.loads((MODEL / "tensor-cache.json").read_text("utf-8"))


def quantized(name: str, outputs: int, inputs: int) -> list[tuple[str, list[int], str]]:
    """What q4f16_1 stores of one matrix."""
    return [
        (f"{name}.q_weight", [outputs, inputs // PER_WORD], "uint32"),
        (f"{name}.q_scale", [outputs, inputs // GROUP], "float16"),
    ]


def llama_parameters(sizes: dict[str, Any]) -> list[tuple[str, list[int], str]]:
    """Name, shape and dtype of every parameter of a llama with tied embeddings, in MLC's order."""
    hidden, feed_forward = sizes["hidden_size"], sizes["intermediate_size"]
    queries = sizes["num_attention_heads"] * sizes["head_dim"]
    keys = sizes["num_key_value_heads"] * sizes["head_dim"]
    expected = quantized("model.embed_tokens", sizes["vocab_size"], hidden)
    for index in range(sizes["num_hidden_layers"]):
        layer = f"model.layers.{index}"
        expected += quantized(f"{layer}.self_attn.qkv_proj", queries + 2 * keys, hidden)
        expected += quantized(f"{layer}.self_attn.o_proj", hidden, queries)
        expected += quantized(f"{layer}.mlp.gate_up_proj", 2 * feed_forward, hidden)
        expected += quantized(f"{layer}.mlp.down_proj", hidden, feed_forward)
        expected.append((f"{layer}.input_layernorm.weight", [hidden], "float16"))
        expected.append((f"{layer}.post_attention_layernorm.weight", [hidden], "float16"))
    return [*expected, ("model.norm.weight", [hidden], "float16")]


def test_shards_have_the_recorded_size_and_md5(cache: dict[str, Any]) -> None:
    """An app refuses a shard that differs from its record."""
    assert len(cache["records"]) > 1
    for shard in cache["records"]:
        data = (MODEL / shard["dataPath"]).read_bytes()
        assert shard["format"] == "raw-shard"
        assert (len(data), hashlib.md5(data).hexdigest()) == (shard["nbytes"], shard["md5sum"])


def test_records_tile_their_shards(cache: dict[str, Any]) -> None:
    """Every byte of a shard belongs to exactly one parameter of the recorded shape."""
    for shard in cache["records"]:
        end = 0
        for record in shard["records"]:
            assert record["byteOffset"] == end, record["name"]
            size = int(np.prod(record["shape"])) * np.dtype(record["dtype"]).itemsize
            assert record["nbytes"] == size, record["name"]
            end += size
        assert end == shard["nbytes"]


def test_parameters_are_those_of_the_architecture(
    cache: dict[str, Any], config: dict[str, Any]
) -> None:
    """The compiled library asks for these names, shapes and dtypes."""
    records = [record for shard in cache["records"] for record in shard["records"]]
    found = [(record["name"], record["shape"], record["dtype"]) for record in records]
    assert found == llama_parameters(config["model_config"])
    assert cache["metadata"]["ParamSize"] == len(records)
    assert cache["metadata"]["ParamBytes"] == sum(record["nbytes"] for record in records)


def test_stored_levels_and_scales_are_valid(cache: dict[str, Any]) -> None:
    """q4f16_1 uses the levels 0 to 14 and positive, finite scales."""
    for shard in cache["records"]:
        data = (MODEL / shard["dataPath"]).read_bytes()
        for record in shard["records"]:
            count = int(np.prod(record["shape"]))
            array = np.frombuffer(data, record["dtype"], count, record["byteOffset"])
            if record["dtype"] == "uint32":
                levels = (array[:, None] >> (4 * np.arange(8, dtype=np.uint32))) & 15
                assert levels.max() <= 14, record["name"]
            else:
                assert np.isfinite(array).all(), record["name"]
                assert not record["name"].endswith("q_scale") or (array > 0).all()


def test_tokenizer_fits_the_config(config: dict[str, Any]) -> None:
    """Ids beyond the vocabulary, or special tokens with other ids, would read as other words."""
    for name in config["tokenizer_files"]:
        assert (MODEL / name).is_file(), name
    tokenizer = json.loads((MODEL / "tokenizer.json").read_text("utf-8"))
    vocabulary = tokenizer["model"]["vocab"]
    assert sorted(vocabulary.values()) == list(range(config["active_vocab_size"]))
    assert config["active_vocab_size"] <= config["vocab_size"]
    special = {token["content"]: token["id"] for token in tokenizer["added_tokens"]}
    assert special == {
        "<pad>": config["pad_token_id"],
        "<s>": config["bos_token_id"],
        "</s>": config["eos_token_id"],
    }
    assert config["conv_template"]["stop_token_ids"] == [config["eos_token_id"]]


def test_files_stay_small() -> None:
    """The model is part of every clone."""
    sizes = [path.stat().st_size for path in MODEL.iterdir()]
    assert max(sizes) < 3 << 20 and sum(sizes) < 4 << 20
