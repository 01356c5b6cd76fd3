"""The kernels of OpenCL libraries compute on pocl what the CPU's compute."""

from __future__ import annotations

import dataclasses
import os

import pytest

from tests.emulators.device_code import Kernel, read_opencl
from tests.emulators.models import RANDOM_MODELS
from tests.emulators.opencl import OpenCL
from tests.emulators.quickstart import QUICKSTART_LAYERS

# pocl has no half precision.
LIBRARIES = [
    ("android", "q4f32_1"),
    ("android", "q0f32"),
    ("android:adreno", "q4f32_1"),
    ("opencl:x86_64-linux", "q4f32_1"),
]
TOLERANCE = 2e-4


@pytest.fixture(scope="module")
def pocl(tmp_path_factory) -> OpenCL:
    os.environ["POCL_CACHE_DIR"] = str(tmp_path_factory.mktemp("pocl"))
    try:
        return OpenCL()
    except LookupError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.mark.parametrize(("device", "quantization"), LIBRARIES)
def test_every_kernel(pocl, check_model, device, quantization):
    """Each of the quickstart's model."""
    check_model(pocl, device, QUICKSTART_LAYERS, quantization, TOLERANCE)


@pytest.mark.parametrize("name", RANDOM_MODELS)
def test_kernels_of_families(pocl, check_model, name):
    """The same of models that have other kernels."""
    check_model(pocl, "android", RANDOM_MODELS[name], "q4f32_1", TOLERANCE)


def test_a_wrong_kernel_is_noticed(pocl, emulate, monkeypatch):
    """The comparison tells which it is; it would not if kernels were compared with themselves."""
    monkeypatch.setattr("tests.emulators.opencl.read_opencl", with_wrong_kernel)
    session, _ = emulate(pocl, "opencl:x86_64-linux", QUICKSTART_LAYERS, "q4f32_1")
    wrong = [kernel for kernel, error in session.errors.items() if error > TOLERANCE]
    assert wrong == ["tir_attention_merge_state_kernel"]


def with_wrong_kernel(code: bytes) -> dict[str, Kernel]:
    """Reads a library's kernels, and changes a logarithm."""
    kernels = read_opencl(code)
    kernel = kernels["tir_attention_merge_state_kernel"]
    source = kernel.source.replace("log2(", "log(")
    assert source != kernel.source
    return {**kernels, kernel.name: dataclasses.replace(kernel, source=source)}
