"""Libraries with prefixes of their own live side by side in one program, as in an app."""

from __future__ import annotations

import ctypes
import tarfile

import numpy as np
import pytest
import tvm

from tests.numeric.families import MODELS
from tests.numeric.session import Session
from tests.numeric.weights import random_weights
from tools import config
from tools.compiler.compile import compile_library
from tools.compiler.link import linked_bytes

# A prefix of two bytes is one that TVM's own build cannot read.
LIBRARIES = {"a": ("grouped", "q0f32"), "llama_b": ("multi_head", "q4f16_1")}


@pytest.fixture(scope="module")
def program(tmp_path_factory, linker, cpu_device) -> None:
    """Both libraries' objects, linked into one and loaded."""
    directory = tmp_path_factory.mktemp("program")
    objects = {}
    for name, (model, quantization) in LIBRARIES.items():
        key = config.build_key(MODELS[model].chat_config(quantization), cpu_device, model_lib=name)
        archive = directory / f"{name}.tar"
        compile_library(key, archive, None, directory / f"{name}.log")
        with tarfile.open(archive) as tar:
            for member in tar.getmembers():
                objects[f"{name}_{member.name}"] = tar.extractfile(member).read()
    linked = directory / "program.so"
    linked.write_bytes(linked_bytes(objects, "so", linker))
    ctypes.CDLL(str(linked), ctypes.RTLD_GLOBAL)


@pytest.mark.parametrize("name", LIBRARIES)
def test_each_library_computes_its_own_model(program, cpu_device, name):
    """Found under its name, with its own weights, shapes and code."""
    model, quantization = LIBRARIES[name]
    session = Session(tvm.runtime.system_lib(f"{name}_"))
    assert session.metadata["quantization"] == quantization
    key = config.build_key(MODELS[model].chat_config(quantization), cpu_device, model_lib=name)
    arrays, values = random_weights(session.metadata["params"], key)
    session.set_weights(arrays)
    small = MODELS[model]
    session.clear()
    session.add_sequence(0)
    tokens = np.arange(3, 20)
    logits = session.forward("prefill", {0: tokens})[0, 0]
    expected = small.reference(small.model_config, values).logits(tokens)[-1]
    assert np.abs(logits - expected).max() <= (1e-4 if quantization == "q0f32" else 2e-2)
    assert logits.argmax() == expected.argmax()
