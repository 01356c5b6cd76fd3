"""Group quantization, bit for bit as upstream's code for a CPU computes it."""

from __future__ import annotations

import numpy as np

from tools.config import Quantization
from tools.convert_weight.values import rounded

# A float32 has 13 bits of mantissa more than a float16.
_HALF = np.uint32(0x0FFF)
_FLOAT16_MASK = np.uint32(0xFFFFE000)


def quantize(values: np.ndarray, quantization: Quantization) -> tuple[np.ndarray, np.ndarray]:
    """Quantizes rows, each in groups that share a scale.

    A group's scale is its largest absolute value by ``2 ** (bits - 1) - 1``. An element is stored
    as ``value / scale``, rounded, plus that number; one beyond the row's end as 0. The first of a
    word is in its lowest bits.

    Args:
        values: ``(rows, columns)``, float32, rounded to the model's dtype, finite.
        quantization: Of kind ``group-quant``.

    Returns:
        Words ``(rows, groups * words of a group)``, uint32, and scales ``(rows, groups)``, float32
        rounded to the model's dtype.
    """
    rows, columns = values.shape
    size, bits = quantization.group_size, quantization.bits
    largest = np.float32(2 ** (bits - 1) - 1)
    groups = -(-columns // size)
    missing = groups * size - columns
    if missing:
        values = np.pad(values, ((0, 0), (0, missing)))
    grouped = np.ascontiguousarray(values).reshape(rows, groups, size)
    scales = rounded(_largest(np.abs(grouped)) / largest, quantization.model_dtype)
    # A scale of 0 divides 0, or what is too small for a scale: NaN becomes 0, infinities the ends.
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = grouped / scales[..., None]
    is_float16 = quantization.model_dtype == "float16"
    if is_float16:
        _round_to_float16(steps)
    steps += largest
    if is_float16:
        _round_to_float16(steps)
    np.rint(steps, out=steps)
    np.fmax(steps, 0, out=steps)
    np.fmin(steps, 2 * largest, out=steps)
    digits = steps.astype(np.uint32).reshape(rows, groups * size)
    if missing:
        digits[:, columns:] = 0
    return _packed(digits, bits), scales


def _packed(digits: np.ndarray, bits: int) -> np.ndarray:
    per_word = 32 // bits
    digits = digits.reshape(len(digits), -1, per_word)
    words = digits[..., 0].copy()
    for position in range(1, per_word):
        words |= digits[..., position] << np.uint32(bits * position)
    return words


def _largest(groups: np.ndarray) -> np.ndarray:
    """Returns the largest element of each row of the last axis; by halves, as numpy is fast."""
    while groups.shape[-1] % 2 == 0:
        half = groups.shape[-1] // 2
        groups = np.maximum(groups[..., :half], groups[..., half:])
    return groups.max(-1)


def _round_to_float16(values: np.ndarray) -> None:
    """Rounds in place to 11 bits of mantissa, ties to even.

    That is float16 but for its ends: quotients are below its largest, and what is lost of those
    below its smallest normal number has no effect on a sum with 3 or 7.
    """
    bits = values.view(np.uint32)
    odd = bits >> 13
    odd &= 1
    odd += _HALF
    bits += odd
    bits &= _FLOAT16_MASK
