"""q4f16_1 as upstream packs it: levels, scales, rounding and the order of nibbles."""

from __future__ import annotations

import numpy as np

from examples.quickstart.training.quantization import dequantize, quantize


def test_packing_of_one_group() -> None:
    """Eight levels in a word, the first lowest; scale is the largest magnitude / 7."""
    weight = np.zeros((1, 32), np.float32)
    weight[0, :8] = [-7, -3, 0, 1, 2, 5, 6, 7]
    q_weight, q_scale = quantize(weight)
    assert q_scale.dtype == np.float16 and q_scale.tolist() == [[1.0]]
    assert [hex(word) for word in q_weight[0]] == ["0xedc98740", *["0x77777777"] * 3]


def test_halves_round_to_even() -> None:
    """Upstream's kernel rounds halves to even, after float16 arithmetic."""
    weight = np.zeros((1, 32), np.float32)
    weight[0, :4] = [7, 0.5, 1.5, -0.5]
    levels = quantize(weight)[0][0, 0] >> np.array([4, 8, 12], np.uint32) & 15
    assert levels.tolist() == [8, 8, 6]


def test_a_group_of_zeros_stays_zero() -> None:
    """No division by a zero scale."""
    q_weight, q_scale = quantize(np.zeros((2, 64), np.float32))
    assert not q_scale.any() and not dequantize(q_weight, q_scale).any()


def test_error_is_at_most_half_a_level() -> None:
    """Dequantized weights lie within half a scale, and float16's rounding, of the original."""
    weight = np.random.default_rng(0).standard_normal((16, 96)).astype(np.float32)
    q_weight, q_scale = quantize(weight)
    error = np.abs(dequantize(q_weight, q_scale) - weight).reshape(16, 3, 32)
    assert (error <= q_scale[..., None].astype(np.float32) * 0.52).all()
