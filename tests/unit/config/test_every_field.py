"""Whatever a field of a family holds: there is a key, or a line that names file and field."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.config.published import PUBLISHED
from tools import config
from tools.cli import UserError
from tools.config import registry, strict_json

FILE = "mlc-chat-config.json"

VALUES = ["8", True, [[1]], {"a": 1}, -1, 0, 3, 1.5, 10**12, 1e-300, 1e300]
"""Of wrong types, out of range, and such as contradict other fields."""

NO_NUMBERS = [float("nan"), float("inf")]

SCALINGS = {
    "factor": 8.0,
    "high_freq_factor": 4.0,
    "long_factor": [1.0],
    "low_freq_factor": 1.0,
    "original_max_position_embeddings": 64,
    "rope_type": "llama3",
    "short_factor": [1.0],
    "type": "longrope",
}
"""What any form of rope_scaling holds."""


def mutations(model_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields the name of what is changed, and a changed ``model_config``."""
    fields = PUBLISHED[model_type]
    for name in registry.schema(model_type)["properties"]:
        for value in VALUES:
            yield name, {**fields, name: value}
    for name in SCALINGS if "rope_scaling" in registry.schema(model_type)["properties"] else ():
        for value in VALUES:
            yield "rope_scaling", {**fields, "rope_scaling": {**SCALINGS, name: value}}


def key_or_lines(model_type: str, fields: dict[str, Any]) -> list[str]:
    """Returns the lines of the error; none where there is a key."""
    chat_config = {"model_type": model_type, "quantization": "q4f16_1", "model_config": fields}
    try:
        config.build_key(chat_config, "android", config_name=FILE)
    except UserError as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize("model_type", config.families())
def test_every_field(model_type):
    """Refusals are fast, too: jsonschema's errors are lines, and no TVM takes part."""
    assert key_or_lines(model_type, PUBLISHED[model_type]) == []
    started, count = time.perf_counter(), 0
    for name, fields in mutations(model_type):
        count += 1
        for line in key_or_lines(model_type, fields):
            assert line.startswith(f"{FILE}: $.model_config."), (name, fields[name])
            assert ": " in line.removeprefix(f"{FILE}: "), (name, fields[name])
    assert time.perf_counter() - started < 0.1 * count


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_numbers_that_json_does_not_have(value):
    """Python's reader would take them; the error says where they stand."""
    text = json.dumps({"model_config": {"rope_theta": value}})
    with pytest.raises(UserError, match=rf"^{FILE}:1:33: \w+ is not a number that JSON can hold"):
        strict_json.loads(text, FILE)


SPELLED_ZERO = [
    "context_window_size",
    "head_dim",
    "num_key_value_heads",
    "position_embedding_base",
    "prefill_chunk_size",
]
"""Fields that upstream's classes fill in where they are 0."""

NO_ZERO = {
    *[("gemma", "head_dim"), ("gemma2", "head_dim"), ("gemma3", "head_dim")],
    *[("gemma3_text", "head_dim"), ("qwen3", "num_key_value_heads")],
    *[("gemma3", "position_embedding_base"), ("gemma3_text", "position_embedding_base")],
    *[
        (model_type, "num_key_value_heads")
        for model_type in config.families()
        if model_type.startswith(("gemma", "qwen", "stablelm", "internlm2", "starcoder2"))
    ],
}
"""Those of families whose classes take the 0 as it is."""


@pytest.mark.parametrize("model_type", config.families())
@pytest.mark.parametrize("field", SPELLED_ZERO)
def test_zero_stands_for_an_absent_field(model_type, field):
    """As in configs that upstream's tools, or people who read its classes, have written."""
    properties = registry.schema(model_type)["properties"]
    if field not in properties:
        return
    fields = {name: value for name, value in PUBLISHED[model_type].items() if name != field}
    zero = key_or_lines(model_type, {**fields, field: 0})
    if (model_type, field) in NO_ZERO:
        assert "got 0" in zero[0]
        return
    assert zero == []
    keys = [
        config.build_key(
            {"model_type": model_type, "quantization": "q4f16_1", "model_config": given}, "android"
        )
        for given in (fields, {**fields, field: 0})
    ]
    assert keys[0] == keys[1]
