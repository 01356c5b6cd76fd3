"""Every family that is compiled can be converted, to its library's parameters."""

from __future__ import annotations

import numpy as np
import pytest

from tests.golden.cases import CASES
from tools import config
from tools.compiler.describe import describe
from tools.compiler.parameters import stored_weights
from tools.convert_weight.families import FAMILIES


def test_every_family():
    """A family of the compiler that is missing here could not be used with its own checkpoints."""
    assert sorted(FAMILIES) == config.families()


def test_every_family_is_compared_with_transformers():
    """Each has a golden case."""
    assert {case.config["model_type"] for case in CASES.values()} == set(config.families())


@pytest.mark.parametrize("name", CASES)
def test_parameters(name):
    """Names, shapes, types and order are those that the library describes."""
    values = CASES[name].config
    has_experts = "num_experts_per_tok" in values
    key = config.checkpoint_key(values, "q3f16_1" if has_experts else "q3f16_0")
    sizes = key.model_config
    expected = [
        [parameter, [sizes.get(size, size) for size in shape], dtype]
        for parameter, shape, dtype in describe(key)["params"]
    ]
    found = [
        [stored["name"], stored["shape"], stored["dtype"]]
        for weight in stored_weights(key)["weights"]
        for stored in weight["stored"]
    ]
    assert found == expected


def test_heads_of_gpt_neox():
    """A checkpoint has a head's query, key and value together; a library those of all heads."""
    heads, size = 3, 2
    rows = np.arange(heads * 3 * size)
    pieces = FAMILIES["gpt_neox"].pieces(
        "gpt_neox.layers.0.attention.query_key_value.bias",
        {"num_attention_heads": heads, "head_dim": size},
    )
    found = np.concatenate([piece.view(rows) for piece in pieces])
    assert found.tolist() == [0, 1, 6, 7, 12, 13, 2, 3, 8, 9, 14, 15, 4, 5, 10, 11, 16, 17]


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_names_of_gpt2(prefix):
    """Checkpoints of gpt2 exist with and without a prefix; masks are ignored."""
    family = FAMILIES["gpt2"]
    assert family.canonical(f"{prefix}h.0.attn.c_attn.weight") == "h.0.attn.c_attn.weight"
    assert family.ignores(family.canonical(f"{prefix}h.0.attn.bias"))
    assert not family.ignores(family.canonical(f"{prefix}h.0.attn.c_attn.bias"))
