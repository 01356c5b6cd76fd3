"""Every family compiles for phones, whose GPUs cannot run here."""

from __future__ import annotations

import json
from pathlib import Path

import lief
import pytest

from tests.numeric.families import MODELS
from tests.unit.compiler.test_objects import RUNTIME, SYMBOL, symbols
from tools import config
from tools.compiler.build import build_library
from tools.compiler.families import FAMILIES
from tools.compiler.progress import Progress

ABI = Path(__file__).parents[2] / "data/abi"

# What upstream's library of a family has, of those in tests/data/abi that say it.
UPSTREAM = {
    found["model_type"]: set(found["library_functions"])
    for found in (json.loads(path.read_text()) for path in ABI.glob("small_*.json"))
}

# One model of each family.
SMALL = {small.model_type: small for small in MODELS.values()}

FUNCTIONS = {
    "alloc_embedding_tensor",
    "batch_decode",
    "batch_prefill",
    "batch_verify",
    "create_tir_paged_kv_cache",
    "decode",
    "embed",
    "prefill",
    "softmax_with_temperature",
}


@pytest.mark.parametrize("device", ["android", "iphone"])
@pytest.mark.parametrize("model_type", SMALL)
def test_library(model_type, device):
    """The functions are there, and those of hidden states where the family has them; nothing is
    missing but the runtime's and C's symbols."""
    key = config.build_key(SMALL[model_type].chat_config("q4f16_1"), device, model_lib="small")
    built = build_library(key, system_library=True, progress=Progress(False))
    names = set(built.metadata["memory_usage"])
    assert names >= FUNCTIONS
    # Phones other than Apple's get no functions that sample.
    assert device != "android" or names == UPSTREAM.get(model_type, names)
    assert ("get_logits" in names) == FAMILIES[model_type].model.exports_hidden_states
    assert built.metadata["model_type"] == model_type
    assert json.loads(json.dumps(built.metadata)) == built.metadata
    strong, undefined = set(), set()
    for contents in built.objects.values():
        defined, weak, missing = symbols(lief.parse(contents))
        strong |= defined | weak
        undefined |= missing
    assert SYMBOL in strong
    assert not [name for name in undefined - strong if not RUNTIME.fullmatch(name)]


def test_every_family_has_a_model():
    """No family is left out of the test above, nor of the numeric ones, which take the same."""
    assert set(SMALL) == set(config.families()) == set(FAMILIES)
