"""The shaders of a WebGPU library compute in Chromium what the CPU's kernels compute."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulators.models import RANDOM_MODELS
from tests.emulators.quickstart import QUICKSTART_LAYERS
from tests.emulators.webgpu import WebGPU, browser

# WGSL allows sines and cosines an error of 2 ** -11, and SwiftShader has no half precision.
TOLERANCE = 1e-3


@pytest.fixture(scope="module")
def chromium() -> Iterator[WebGPU]:
    try:
        with browser() as device:
            yield device
    except LookupError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.mark.parametrize("quantization", ["q4f32_1", "q0f32"])
def test_every_kernel(chromium, check_model, quantization):
    """Each of the quickstart's model."""
    check_model(chromium, "webgpu", QUICKSTART_LAYERS, quantization, TOLERANCE)


@pytest.mark.parametrize("name", RANDOM_MODELS)
def test_kernels_of_families(chromium, check_model, name):
    """The same of models that have other kernels."""
    check_model(chromium, "webgpu", RANDOM_MODELS[name], "q4f32_1", TOLERANCE)
