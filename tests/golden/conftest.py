"""Converts and compiles each model once in each quantization, for this machine."""

from __future__ import annotations

import functools
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path

import pytest
import tvm
from tvm.contrib.tvmjs import load_tensor_cache

from tests.golden import checkpoints
from tests.golden.cases import CASES
from tests.numeric.session import Session
from tools import config
from tools.compiler.compile import compile_library
from tools.compiler.parameters import stored_weights
from tools.config import strict_json
from tools.convert_weight import checkpoint
from tools.convert_weight.convert import convert

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Session]:
    """A function ``(case, quantization) -> session``: checkpoint, conversion, library."""
    linker = os.environ.get("MLC_TEST_LINKER")
    if not linker:
        pytest.fail("set MLC_TEST_LINKER to a program that takes the arguments of ld.lld")
    architecture = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    device = f"cpu:{architecture}-{platform.system().lower()}"

    @functools.cache
    def load(name: str, quantization: str) -> Session:
        directory = tmp_path_factory.mktemp(f"{name}_{quantization}")
        case = CASES[name]
        shapes = json.loads((DATA / f"{name}.json").read_text())
        files = checkpoints.write(case, checkpoints.weights(case, shapes), directory)
        values = strict_json.load(directory / "config.json")
        parameters = stored_weights(config.checkpoint_key(values, quantization))
        converted = directory / "converted"
        convert(
            parameters,
            checkpoint.read({path.name: str(path) for path in files}),
            converted,
            workers=2,
        )
        chat_config = {
            "model_type": parameters["model_type"],
            "quantization": quantization,
            "model_config": parameters["model_config"],
        }
        overrides = {"max_batch_size": 4, "prefill_chunk_size": 64}
        key = config.build_key(chat_config, device, overrides=overrides)
        library = directory / "library.so"
        compile_library(
            key, library, None, directory / "library.log", linker=Path(linker).absolute()
        )
        session = Session(tvm.runtime.load_module(str(library)))
        arrays, _ = load_tensor_cache(str(converted), tvm.cpu())
        session.parameters = [arrays[each["name"]] for each in session.metadata["params"]]
        return session

    return load
