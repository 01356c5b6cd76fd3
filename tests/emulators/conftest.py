"""What the tests of emulated devices share: libraries, and what the CPU makes of them."""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tvm

from tests.emulators import quickstart
from tests.emulators.conversation import converse
from tests.emulators.emulation import Device, EmulatedSession
from tests.emulators.every_kernel import use_every_kernel
from tests.numeric.session import Session
from tools.compiler.functions import cpu_attention
from tools.compiler.functions.samplers import ALL, SAMPLERS_OF_TARGET
from tools.compiler.layers import mlp
from tools.compiler.quantization.group import GroupQuantization
from tools.compiler.quantization.none import NoQuantization

NUM_LAYERS = 2
"""Of the five: all layers of a model run the same kernels."""


@pytest.fixture(scope="session")
def linker() -> Path:
    """The linker of the tests, by the environment variable MLC_TEST_LINKER."""
    path = os.environ.get("MLC_TEST_LINKER")
    if not path:
        pytest.fail("set MLC_TEST_LINKER to a program that takes the arguments of ld.lld")
    return Path(path).absolute()


@pytest.fixture(scope="session")
def cpu_device() -> str:
    """The device whose code this machine runs."""
    return f"cpu:{platform.machine()}-{platform.system().lower()}"


@pytest.fixture(scope="session")
def cpu_library(tmp_path_factory, linker, cpu_device) -> Callable[[str, int | None], Path]:
    """A function ``(quantization, num_layers) -> library`` for this machine's CPU."""

    @functools.cache
    def compile_(quantization: str, num_layers: int | None) -> Path:
        key = quickstart.compile_key(cpu_device, quantization, num_layers=num_layers)
        path = tmp_path_factory.mktemp("cpu") / "library.so"
        return quickstart.shared_library(key, path, linker)

    return compile_


@pytest.fixture(scope="session")
def cpu_results(cpu_library) -> Callable[[str, int | None], dict[str, np.ndarray]]:
    """A function with the same arguments that returns a conversation's results."""

    @functools.cache
    def run(quantization: str, num_layers: int | None) -> dict[str, np.ndarray]:
        library = cpu_library(quantization, num_layers)
        session = Session(tvm.runtime.load_module(str(library)))
        session.set_weights(quickstart.weights(quantization)(session.metadata["params"]))
        return converse(session, quickstart.PROMPT)

    return run


@pytest.fixture(scope="session")
def gpu_kernels() -> Iterator[None]:
    """Makes libraries for the CPU of the kernels that those for GPUs have, to compare them.

    CPUs have products, gates and attention of their own, and functions that sample are for some
    GPUs alone. OpenCL's libraries get the latter, too, so that they are executed.
    """
    with pytest.MonkeyPatch.context() as patch:
        for quantization in (GroupQuantization, NoQuantization):
            for read in ("integers", "row_vectors"):
                patch.setattr(quantization, read, lambda *_: None)
        patch.setattr(cpu_attention, "can_attend", lambda *_: False)
        patch.setattr(mlp, "MOST_LANES", 0)
        for kind in ("llvm", "opencl"):
            patch.setitem(SAMPLERS_OF_TARGET, kind, ALL)
        yield


@pytest.fixture(scope="session")
def emulate(
    tmp_path_factory, linker, cpu_device, gpu_kernels, cpu_library
) -> Callable[[Device, str, str], tuple[EmulatedSession, dict[str, np.ndarray]]]:
    """A function ``(emulated device, device, quantization) -> (session, conversation's results)``.

    Afterwards every kernel of the library has run, or the session tells of those that have not.
    """

    def run(emulated: Device, device: str, quantization: str):
        key = quickstart.compile_key(
            device, quantization, cpu_device=cpu_device, num_layers=NUM_LAYERS
        )
        path = tmp_path_factory.mktemp(emulated.kind) / "library.so"
        library = quickstart.shared_library(key, path, linker)
        session = EmulatedSession(library, cpu_library(quantization, NUM_LAYERS), emulated)
        session.set_weights(quickstart.weights(quantization)(session.metadata["params"]))
        results = converse(session, quickstart.PROMPT)
        use_every_kernel(session, key.model_config)
        return session, results

    return run


def check_results(
    results: dict[str, np.ndarray], expected: dict[str, np.ndarray], tolerance: float
) -> None:
    """Compares a conversation's results, errors being relative to the expected numbers' range."""
    assert results.keys() == expected.keys()
    for name, array in expected.items():
        assert results[name].shape == array.shape, name
        error = np.abs(results[name].astype(np.float64) - array).max() / max(np.ptp(array), 1)
        assert error <= tolerance, f"{name}: {error}"
