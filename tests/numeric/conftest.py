"""Compiles each small model once for the machine that runs the tests."""

from __future__ import annotations

import functools
import os
import platform
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tvm

from tests.numeric.families import MODELS
from tests.numeric.session import Session
from tests.numeric.small_model import Reference
from tests.numeric.tolerance import TOLERANCE
from tests.numeric.weights import random_weights
from tools import config
from tools.compiler.compile import compile_library


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
    architecture = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    return f"cpu:{architecture}-{platform.system().lower()}"


@pytest.fixture(scope="session")
def load(
    tmp_path_factory: pytest.TempPathFactory, linker: Path, cpu_device: str
) -> Callable[[str, str], tuple[Session, Reference]]:
    """A function ``(model, quantization) -> (session, reference)``, with the same weights."""

    @functools.cache
    def load(model: str, quantization: str) -> tuple[Session, Reference]:
        directory = tmp_path_factory.mktemp(f"{model}_{quantization}")
        library = directory / "library.so"
        small = MODELS[model]
        key = config.build_key(small.chat_config(quantization), cpu_device)
        compile_library(key, library, None, directory / "library.log", linker=linker)
        session = Session(tvm.runtime.load_module(str(library)))
        arrays, values = random_weights(session.metadata["params"], key)
        session.set_weights(arrays)
        return session, small.reference(small.model_config, values)

    return load


@pytest.fixture
def tokens() -> np.ndarray:
    """A text of 120 tokens."""
    return np.random.default_rng(1).integers(0, 517, 120)


@pytest.fixture
def case(request, load) -> tuple[Session, Reference, float]:
    """A session with an empty cache, its reference and the tolerance of their difference.

    Its parameter, given indirectly, is the names of a model and of a quantization.
    """
    model, quantization = request.param
    session, reference = load(model, quantization)
    session.clear()
    return session, reference, TOLERANCE[quantization]
