"""Both compilers make the same library of a model: functions, parameters, metadata, numbers.

Upstream's is in the environment that ``MLC_UPSTREAM_PYTHON`` names, its interpreter, with
``MLC_UPSTREAM_PATH``, directories to search first.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.conformance import run_library
from tests.numeric import families
from tests.numeric.tolerance import TOLERANCE, check
from tests.numeric.weights import random_weights
from tools import config
from tools.compiler.compile import compile_library
from tools.config.any_model import build_any_key
from tools.upstream import compile as upstream
from tools.upstream import probe

QUANTIZATION = os.environ.get("MLC_TEST_QUANTIZATION", "q4f16_1")
# What upstream's qwen2 and gemma2 have no default for, and ours leave out of the key.
_NEEDED = {"attention_bias": False, "hidden_act": "silu"}

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


@pytest.fixture(scope="session")
def environment(tmp_path_factory) -> dict[str, Any]:
    """Interpreter, packages, stamp and symbol of the environment that was given."""
    python = os.environ.get("MLC_UPSTREAM_PYTHON")
    if not python:
        pytest.exit(
            "MLC_UPSTREAM_PYTHON is not set: name the interpreter of an environment that has "
            "mlc_llm and its TVM (and in MLC_UPSTREAM_PATH further directories of packages)",
            returncode=1,
        )
    paths = [path for path in os.environ.get("MLC_UPSTREAM_PATH", "").split(os.pathsep) if path]
    command = [python, "-s", "-B", probe.__file__]
    command += [argument for path in paths for argument in ("--path", path)]
    answer = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    site = tmp_path_factory.mktemp("upstream") / "site"
    site.mkdir()
    for name, path in answer["entries"].items():
        (site / name).symlink_to(path)
    stamp = site.parent / "stamp.json"
    stamp.write_text(json.dumps(answer["stamp"]))
    return {**answer, "site": site, "stamp_file": stamp}


@pytest.fixture(scope="session", params=families.selected())
def pair(request, environment, tmp_path_factory, linker, cpu_device) -> tuple[str, Made, Made]:
    """Name of a model, and what upstream's compiler and ours make of it."""
    small = families.MODELS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    ours = folder / "ours.so"
    key = config.build_key(small.chat_config(QUANTIZATION), cpu_device)
    start = time.monotonic()
    compile_library(key, ours, folder / "ours.json", folder / "ours.log", linker=linker)
    middle = time.monotonic()
    theirs = folder / "theirs.so"
    # With the defaults filled in, of which upstream has fewer.
    given = {name: value for name, value in key.model_config.items() if value is not None}
    fields = {**_NEEDED, **given}
    upstream.compile_library(
        build_any_key(
            {**small.chat_config(QUANTIZATION), "model_config": {**fields, **small.model_config}},
            cpu_device,
            overrides={},
            opt=None,
            target={},
            architectures=(),
            model_lib="conformance",
            config_name="the config",
            where=request.param,
        ),
        theirs,
        folder / "theirs.json",
        folder / "theirs.log",
        interpreter=Path(environment["interpreter"]),
        site=environment["site"],
        versions=upstream.load_versions(environment["stamp_file"]),
        symbol_suffix=environment["symbol_suffix"],
    )
    end = time.monotonic()
    metadata = [json.loads((folder / f"{name}.json").read_text()) for name in ("ours", "theirs")]
    arrays, _ = random_weights(metadata[0]["metadata"]["params"], key)
    weights = {str(index): array for index, array in enumerate(arrays)}
    np.savez(folder / "inputs.npz", tokens=np.asarray(TOKENS), **weights)
    print(f"\n{request.param}: {middle - start:.1f} s, upstream {end - middle:.1f} s")
    return (
        request.param,
        Made(metadata[0], ours, sys.executable, os.pathsep.join(sys.path)),
        Made(metadata[1], theirs, environment["interpreter"], str(environment["site"])),
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
    _, ours, theirs = pair
    assert ours.metadata["metadata"]["params"] == theirs.metadata["metadata"]["params"]


def test_functions(pair):
    """The functions that use memory, which metadata lists, are the same."""
    _, ours, theirs = pair
    usage = [made.metadata["metadata"]["memory_usage"] for made in (ours, theirs)]
    assert usage[0].keys() == usage[1].keys()


def test_metadata(pair):
    """Every other field."""
    _, ours, theirs = pair
    first, second = (
        {
            name: value
            for name, value in made.metadata["metadata"].items()
            if name not in ("params", "memory_usage")
        }
        for made in (ours, theirs)
    )
    assert first == second


def test_logits(pair):
    """With the same weights, a prefill and the tokens after it give the same logits."""
    _, ours, theirs = pair
    for row, expected in zip(_logits(ours), _logits(theirs), strict=True):
        check(row, expected, 2 * TOLERANCE[QUANTIZATION])
