"""The shaders of a WebGPU library compute in Chromium what the CPU's kernels compute."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulators.conftest import NUM_LAYERS, check_results
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
def test_every_kernel(chromium, emulate, cpu_results, quantization):
    """Each of them runs, and is right; so is what the model's functions make of them."""
    session, results = emulate(chromium, "webgpu", quantization)
    assert session.left_out() == []
    assert {kernel: e for kernel, e in session.errors.items() if e > TOLERANCE} == {}
    check_results(results, cpu_results(quantization, NUM_LAYERS), TOLERANCE)
