"""Quantized weights are, bit for bit, those that upstream's code computes on a CPU."""

from __future__ import annotations

import ml_dtypes  # noqa: F401 - makes bfloat16 a dtype of numpy
import numpy as np
import pytest
from tvm.contrib import tvmjs

from tests.unit.convert_weight import upstream
from tools import config
from tools.convert_weight import values
from tools.convert_weight.quantize import quantize

KINDS = ["q3f16_1", "q4f16_1", "q4bf16_1", "q4f32_1"]


@pytest.fixture
def weights() -> np.ndarray:
    """Rows from below the smallest float16 to near the largest; the last group is not full."""
    random = np.random.default_rng(3)
    rows = random.standard_normal((2000, 250)) * 10 ** random.uniform(-9, 3.5, (2000, 1))
    rows[0] = 0
    rows[1, 1:] = 0
    # Halfway between two integers of 4 bits, where the order of roundings shows.
    rows[2] = np.arange(250) % 14 - 6.5
    rows[2, ::32] = 7
    return rows.astype(np.float32)


@pytest.mark.parametrize("name", KINDS)
def test_words_and_scales(weights, name):
    """Subnormal, zero and ordinary groups, ties, and a row's end within a group."""
    kind = config.quantization(name)
    weights = values.rounded(weights, kind.model_dtype)
    words, scales = quantize(weights, kind)
    expected_words, expected_scales = upstream.quantize(weights.astype(kind.model_dtype), kind)
    assert np.array_equal(scales, expected_scales.astype(np.float32))
    assert np.array_equal(words, expected_words)


def test_rounding_order_matters(weights):
    """Without float16's roundings in between, the test above would fail."""
    kind = config.quantization("q4f16_1")
    half = values.rounded(weights, "float16")
    words, scales = quantize(half, kind)
    padded = np.pad(half, ((0, 0), (0, 6))).reshape(2000, -1, 32)
    with np.errstate(all="ignore"):
        steps = np.clip(np.nan_to_num(np.rint(padded / scales[..., None] + 7)), 0, 14)
    digits = steps.astype(np.uint32).reshape(2000, -1, 8)
    once = (digits << np.arange(0, 32, 4, dtype=np.uint32)).sum(-1, dtype=np.uint32)
    assert (words[:, :-1] != once[:, :-1]).any()


def test_float32_is_stored_as_upstream_does():
    """Rounded to bfloat16, and cut off beyond its largest number."""
    random = np.random.default_rng(4)
    bits = random.integers(0, 1 << 32, 100_000, np.uint32)
    numbers = bits.view(np.float32)
    numbers = np.concatenate([numbers[np.isfinite(numbers)], np.float32([3.4e38, -3.4e38, 0])])
    expected = tvmjs._convert_f32_to_bf16(numbers)
    assert np.array_equal(values.stored(numbers, "float32"), expected)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_rounding(dtype):
    """Ties, subnormal numbers, both sides of the largest: as numpy and ml_dtypes convert."""
    random = np.random.default_rng(5)
    bits = random.integers(0, 1 << 32, 1_000_000, np.uint32)
    # Every exponent of float16, and ties between its numbers and bfloat16's.
    near = (random.integers(95, 145, 1_000_000, np.uint32) << 23) | (bits & 0x807FFFFF)
    numbers = np.concatenate([bits, near, near & 0xFFFFF000, near & 0xFFFF8000]).view(np.float32)
    numbers = numbers[np.isfinite(numbers)]
    if dtype == "bfloat16":
        numbers = numbers[np.abs(numbers) < 3e38]
    with np.errstate(over="ignore"):
        expected = numbers.astype(dtype).astype(np.float32)
        found = values.rounded(numbers, dtype)
    assert np.array_equal(found.view(np.uint32), expected.view(np.uint32))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_widen_and_round(dtype):
    """Every finite bfloat16 and float16 is read exactly, and stays as it is when rounded."""
    numbers = np.arange(1 << 16, dtype=np.uint16)
    array = numbers if dtype == "bfloat16" else numbers.view(np.float16)
    exact = numbers.view("bfloat16" if dtype == "bfloat16" else np.float16).astype(np.float32)
    array = exact if dtype == "float32" else array
    wide = values.widen(array, dtype)
    assert np.array_equal(wide.view(np.uint32), exact.view(np.uint32))
    finite = wide[np.isfinite(wide)]
    assert np.array_equal(values.rounded(finite, dtype), finite)
