"""What the tests of emulated devices share: libraries, and what the CPU makes of them."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tvm

from tests.emulators import references
from tests.emulators.conversation import converse
from tests.emulators.emulation import Device, EmulatedSession, Launches
from tests.emulators.every_kernel import use_cache, use_common_kernels
from tests.emulators.models import Model, shared_library
from tests.emulators.quickstart import PROMPT, QUICKSTART_LAYERS
from tests.numeric.session import Session


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
    return references.cpu_device()


@pytest.fixture(scope="session")
def cpu_library(tmp_path_factory, linker, cpu_device) -> Callable[[Model, str], Path]:
    """A function ``(model, quantization) -> library`` for this machine's CPU."""

    @functools.cache
    def compile_(model: Model, quantization: str) -> Path:
        if (built := references.path(model, quantization)).exists():
            return built
        key = model.compile_key(cpu_device, quantization)
        return shared_library(key, tmp_path_factory.mktemp("cpu") / "library.so", linker)

    return compile_


@pytest.fixture(scope="session")
def cpu_results(cpu_library, cpu_device) -> Callable[[Model, str], dict[str, np.ndarray]]:
    """A function with the same arguments that returns a conversation's results."""

    @functools.cache
    def run(model: Model, quantization: str) -> dict[str, np.ndarray]:
        session = Session(tvm.runtime.load_module(str(cpu_library(model, quantization))))
        key = model.compile_key(cpu_device, quantization)
        session.set_weights(model.weights(session.metadata["params"], key))
        return converse(session, PROMPT)

    return run


@pytest.fixture(scope="session")
def gpu_kernels() -> Iterator[None]:
    """The context of that name."""
    with references.gpu_kernels():
        yield


@pytest.fixture(scope="session")
def emulate(
    tmp_path_factory, linker, cpu_device, gpu_kernels, cpu_library
) -> Callable[[Device, str, Model, str], tuple[EmulatedSession, dict[str, np.ndarray]]]:
    """A function ``(emulated device, device, model, quantization) -> (session, conversation's
    results)``.

    Afterwards every kernel of the library has run, or the session tells of those that have not.
    """
    checked: dict[Launches, float] = {}

    @functools.cache
    def compile_(device: str, model: Model, quantization: str) -> Path:
        key = model.compile_key(device, quantization, cpu_device=cpu_device)
        return shared_library(key, tmp_path_factory.mktemp("emulated") / "library.so", linker)

    def run(emulated: Device, device: str, model: Model, quantization: str):
        # A copy: loaded again, a library has the functions that its host code looked up before.
        copy = tmp_path_factory.mktemp("emulated") / "library.so"
        library = shutil.copy(compile_(device, model, quantization), copy)
        session = EmulatedSession(library, cpu_library(model, quantization), emulated, checked)
        key = model.compile_key(cpu_device, quantization)
        session.set_weights(model.weights(session.metadata["params"], key))
        results = converse(session, PROMPT)
        use_cache(session, can_slide=model.can_slide)
        if model is QUICKSTART_LAYERS:
            use_common_kernels(session, key.model_config["vocab_size"])
        checked.update(session.checked)
        return session, results

    return run


@pytest.fixture(scope="session")
def check_model(emulate, cpu_results) -> Callable[[Device, str, Model, str, float], None]:
    """A function with the arguments of `emulate` and a tolerance.

    Every kernel that the runtime can call runs, and is right; so is what the model's functions
    make of them. Kernels that all models have run in the quickstart's.
    """

    @functools.cache
    def check(
        emulated: Device, device: str, model: Model, quantization: str, tolerance: float
    ) -> None:
        if model is not QUICKSTART_LAYERS:
            check(emulated, device, QUICKSTART_LAYERS, quantization, tolerance)
        session, results = emulate(emulated, device, model, quantization)
        left_out = session.left_out()
        assert [name for name in left_out if model.can_slide or "sliding_window" not in name] == []
        assert {kernel: e for kernel, e in session.errors.items() if e > tolerance} == {}
        check_results(results, cpu_results(model, quantization), tolerance)

    return check


def check_results(
    results: dict[str, np.ndarray], expected: dict[str, np.ndarray], tolerance: float
) -> None:
    """Compares a conversation's results, errors being relative to the expected numbers' range."""
    assert results.keys() == expected.keys()
    for name, array in expected.items():
        assert results[name].shape == array.shape, name
        error = np.abs(results[name].astype(np.float64) - array).max() / max(np.ptp(array), 1)
        assert error <= tolerance, f"{name}: {error}"
