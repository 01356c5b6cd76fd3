"""Both compilers make the same library of a model: functions, parameters, metadata, numbers."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conformance import run_library
from tests.conformance.compared import Compared
from tests.numeric import families
from tests.numeric.tolerance import TOLERANCE, check
from tests.numeric.weights import random_weights
from tools.compiler.compile import compile_library

QUANTIZATION = os.environ.get("MLC_TEST_QUANTIZATION", "q4f16_1")

TOKENS = [(7 * i * i + 3 * i + 1) % 500 for i in range(24)]


@dataclasses.dataclass(frozen=True)
class Made:
    """What a compiler made of a model.

    Attributes:
        metadata: Its metadata file.
        library: The shared library.
        python: The interpreter that runs it.
        path: Where that finds its packages.
    """

    metadata: dict[str, Any]
    library: Path
    python: str
    path: str


def _user_seconds() -> float:
    """Returns the processor time of this process and its children, as far as it is the user's."""
    times = os.times()
    return times.user + times.children_user


@pytest.fixture(scope="session", params=families.selected())
def pair(request, environment, tmp_path_factory, linker, cpu_device) -> tuple[Made, Made]:
    """What ours and upstream's compiler make of a model."""
    model = Compared(request.param, QUANTIZATION)
    folder = tmp_path_factory.mktemp(model.name)
    ours, theirs = folder / "ours.so", folder / "theirs.so"
    key = model.key(cpu_device)
    start = _user_seconds()
    compile_library(key, ours, folder / "ours.json", folder / "ours.log", linker=linker)
    middle = _user_seconds()
    expected = environment.compile(model, cpu_device, theirs)
    end = _user_seconds()
    metadata = json.loads((folder / "ours.json").read_text())
    arrays, _ = random_weights(metadata["metadata"]["params"], key)
    weights = {str(index): array for index, array in enumerate(arrays)}
    np.savez(folder / "inputs.npz", tokens=np.asarray(TOKENS), **weights)
    print(f"\n{model.name}: {middle - start:.1f} user s, upstream {end - middle:.1f}")
    return (
        Made(metadata, ours, sys.executable, os.pathsep.join(sys.path)),
        Made(expected, theirs, str(environment.interpreter), str(environment.site)),
    )


def _logits(made: Made) -> np.ndarray:
    """Runs a library in the environment of its compiler, on the weights of its folder."""
    output = made.library.with_suffix(".npy")
    root = Path(run_library.__file__).parents[2]
    inputs = made.library.with_name("inputs.npz")
    subprocess.run(
        [made.python, "-B", "-m", "tests.conformance.run_library", made.library, inputs, output],
        cwd=root,
        env={
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": f"{made.path}{os.pathsep}{root}",
        },
        check=True,
    )
    return np.load(output)


def test_parameters(pair):
    """Names, shapes, dtypes, in the order in which functions take them."""
    ours, theirs = pair
    assert ours.metadata["metadata"]["params"] == theirs.metadata["metadata"]["params"]


def test_functions(pair):
    """The functions that use memory, which metadata lists, are the same; ours use no more."""
    ours, theirs = (made.metadata["metadata"]["memory_usage"] for made in pair)
    assert ours.keys() == theirs.keys()
    assert max(ours.values()) <= max(theirs.values())


def test_metadata(pair):
    """Every other field."""
    first, second = (
        {
            name: value
            for name, value in made.metadata["metadata"].items()
            if name not in ("params", "memory_usage")
        }
        for made in pair
    )
    assert first == second


def test_logits(pair):
    """With the same weights, a prefill and the tokens after it give the same logits."""
    ours, theirs = pair
    for row, expected in zip(_logits(ours), _logits(theirs), strict=True):
        check(row, expected, 2 * TOLERANCE[QUANTIZATION])
