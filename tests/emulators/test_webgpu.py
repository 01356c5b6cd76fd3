"""The shaders of a WebGPU library compute in Chromium what the CPU's kernels compute."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulators.conftest import NUM_LAYERS, check_results
from tests.emulators.webgpu import WebGPU, browser

# WGSL allows sines and cosines an error of 2 ** -11, and SwiftShader has no half precision.
TOLERANCE = 1e-3

SAMPLING = (
    "argsort",
    "gpu_2d_continuous_cumsum",
    "sample_",
    "search_sums",
    "take_sorted",
    "tokens",
)
"""How the kernels begin that sample; no CPU's library has them, to be compared with."""


@pytest.fixture(scope="module")
def chromium() -> Iterator[WebGPU]:
    try:
        with browser() as device:
            yield device
    except LookupError as error:
        pytest.fail(str(error), pytrace=False)


@pytest.mark.parametrize("quantization", ["q4f32_1", "q0f32"])
def test_every_kernel(chromium, emulate, cpu_results, quantization):
    """Each that does not sample runs, and is right; so are the results of the functions."""
    session, results = emulate(chromium, "webgpu", quantization)
    left_out = [kernel for kernel in session.left_out() if not kernel.startswith(SAMPLING)]
    assert left_out == []
    assert {kernel: e for kernel, e in session.errors.items() if e > TOLERANCE} == {}
    check_results(results, cpu_results(quantization, NUM_LAYERS), TOLERANCE)
