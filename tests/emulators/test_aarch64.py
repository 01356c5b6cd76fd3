"""A library for aarch64 computes under qemu what this machine's computes."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.emulators.conftest import check_results
from tests.emulators.models import shared_library
from tests.emulators.quickstart import PROMPT, QUICKSTART
from tools.compiler.describe import describe

SYSTEM = "MLC_AARCH64_SYSTEM"
"""The environment variable with the directory that `install.py` has filled."""

PROGRAM = "tests/emulators/aarch64_program.py"
ROOT = Path(__file__).parents[2]
TOLERANCE = {"q4f16_1": 2e-2, "q4f32_1": 1e-4}


@pytest.fixture(scope="module")
def foreign_python() -> list[str]:
    """The command of a Python for aarch64 with TVM's runtime."""
    qemu = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if qemu is None:
        pytest.fail("no qemu: apt-get install qemu-user", pytrace=False)
    system = os.environ.get(SYSTEM, "")
    pythons = sorted(Path(system).glob("root/usr/bin/python3.[0-9]*")) if system else []
    if not pythons:
        pytest.fail(
            f"no aarch64 system in {SYSTEM} ({system or 'not set'}):"
            " python3 tests/emulators/install.py DIRECTORY makes one",
            pytrace=False,
        )
    return [qemu, "-L", f"{system}/root", str(pythons[0])]


@pytest.mark.parametrize("quantization", TOLERANCE)
def test_conversation(foreign_python, linker, cpu_device, cpu_results, tmp_path, quantization):
    """What a chat engine calls gives the same numbers as here, and tells the same story."""
    key = QUICKSTART.compile_key("cpu:aarch64-linux", quantization)
    library = shared_library(key, tmp_path / "library.so", linker)
    params = [
        {"name": name, "shape": shape, "dtype": dtype}
        for name, shape, dtype in describe(key)["params"]
    ]
    weights = QUICKSTART.weights(params, key)
    inputs, results = tmp_path / "inputs.npz", tmp_path / "results.npz"
    arrays = {str(i): array for i, array in enumerate(weights)}
    np.savez(inputs, prompt=PROMPT, **arrays)
    subprocess.run(
        [*foreign_python, ROOT / PROGRAM, library, inputs, results],
        env={
            "PYTHONPATH": f"{ROOT}:{os.environ[SYSTEM]}/site",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TVM_NUM_THREADS": "1",
            "TVM_USE_RUNTIME_LIB": "1",
        },
        timeout=300,
        check=True,
    )
    check_results(
        dict(np.load(results)), cpu_results(QUICKSTART, quantization), TOLERANCE[quantization]
    )
