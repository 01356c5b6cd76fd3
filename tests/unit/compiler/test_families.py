"""Every family compiles for phones, whose GPUs cannot run here."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import lief
import pytest

from tests.unit.compiler.family_digests import SMALL, digests, small_library
from tests.unit.compiler.test_objects import RUNTIME, SYMBOL, symbols
from tools import config
from tools.compiler.build import BuiltLibrary
from tools.compiler.families import FAMILIES

ABI = Path(__file__).parents[2] / "data/abi"

# What upstream's library of a family has, of those in tests/data/abi that say it.
UPSTREAM = {
    found["model_type"]: set(found["library_functions"])
    for found in (json.loads(path.read_text()) for path in ABI.glob("small_*.json"))
}

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


@pytest.fixture(scope="module")
def elsewhere(request, tmp_path_factory) -> Iterator[subprocess.Popen | None]:
    """Another process that compiles while this one does, in the opposite order.

    It has a directory, TMPDIR and hash seed of its own, and prints what `family_digests` says.
    """
    tests = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    if not any(test.get("device") == "android" for test in tests):
        yield None
        return
    directory = tmp_path_factory.mktemp("a" * 40)
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "1",
        "PYTHONPATH": os.pathsep.join(str(Path(path).absolute()) for path in sys.path if path),
        "TMPDIR": str(directory),
    }
    command = [sys.executable, "-m", "tests.unit.compiler.family_digests", "android"]
    command += reversed(SMALL)
    options = {"cwd": directory, "env": environment, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **options) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def build(elsewhere) -> Callable[[str, str], BuiltLibrary]:
    """A function ``(model_type, device) -> library``, which compiles each once."""
    return functools.cache(small_library)


@pytest.mark.parametrize("device", ["android", "iphone"])
@pytest.mark.parametrize("model_type", SMALL)
def test_library(build, model_type, device):
    """The functions are there, and those of hidden states where the family has them; nothing is
    missing but the runtime's and C's symbols."""
    built = build(model_type, device)
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


@pytest.mark.parametrize("device", ["android"])
def test_same_bytes_in_another_process(build, elsewhere, device):
    """A library depends on its compile key alone: on none that was compiled before it, either."""
    here = {model_type: digests(build(model_type, device)) for model_type in SMALL}
    output, _ = elsewhere.communicate()
    assert elsewhere.returncode == 0
    assert json.loads(output) == here


def test_every_family_has_a_model():
    """No family is left out of the test above, nor of the numeric ones, which take the same."""
    assert set(SMALL) == set(config.families()) == set(FAMILIES)
