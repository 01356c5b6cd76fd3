"""Every family compiles for phones, whose GPUs cannot run here."""

from __future__ import annotations

import json

import lief
import pytest

from tests.unit.compiler.pairs import CHAT_CONFIGS, ONCE
from tests.unit.compiler.test_objects import RUNTIME, SYMBOL, check_functions, symbols
from tools import config
from tools.compiler.build import build_library
from tools.compiler.progress import Progress


@pytest.mark.parametrize("pair", ONCE, ids="-".join)
def test_library(pair):
    """The functions are there; nothing is missing but the runtime's and C's symbols."""
    model_type, device = pair
    key = config.build_key(CHAT_CONFIGS[model_type], device, model_lib="small")
    built = build_library(key, system_library=True, progress=Progress(False))
    check_functions(built.metadata, *pair)
    assert json.loads(json.dumps(built.metadata)) == built.metadata
    strong, undefined = set(), set()
    for contents in built.objects.values():
        defined, weak, missing = symbols(lief.parse(contents))
        strong |= defined | weak
        undefined |= missing
    assert SYMBOL in strong
    assert not [name for name in undefined - strong if not RUNTIME.fullmatch(name)]
