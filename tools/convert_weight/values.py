"""Rounds numbers as upstream does, and stores them.

Numbers are float32 throughout: it holds every float16 and bfloat16, and numpy is fast with it.
bfloat16 is handled as its bits, which are the upper half of a float32's.
"""

from __future__ import annotations

import numpy as np


def widen(array: np.ndarray, dtype: str) -> np.ndarray:
    """Returns what `Tensor.array` returned, of type ``dtype``, as float32."""
    if dtype == "bfloat16":
        return (array.astype(np.uint32) << 16).view(np.float32)
    return array.astype(np.float32, copy=False)


def rounded(values: np.ndarray, dtype: str) -> np.ndarray:
    """Returns float32 values as near as ``dtype`` can hold them, ties to even."""
    if dtype == "float16":
        return values.astype(np.float16).astype(np.float32)
    if dtype == "bfloat16":
        return (bfloat16_bits(values).astype(np.uint32) << 16).view(np.float32)
    return values


def bfloat16_bits(values: np.ndarray) -> np.ndarray:
    """Returns the nearest bfloat16 of finite float32 values, ties to even, as uint16."""
    bits = np.ascontiguousarray(values).view(np.uint32)
    return ((bits + (((bits >> 16) & 1) + 0x7FFF)) >> 16).astype(np.uint16)


def stored(values: np.ndarray, dtype: str) -> np.ndarray:
    """Returns float32 values, rounded to ``dtype``, as tensor-cache.json's shards hold them.

    float32 is stored as bfloat16, as upstream does (``f32-to-bf16``).
    """
    if dtype == "float16":
        return values.astype(np.float16)
    if dtype == "float32":
        # Not rounded up to infinity: beyond the largest bfloat16 the rest is cut off.
        bits = np.ascontiguousarray(values).view(np.uint32)
        largest = (bits & 0x7FFFFFFF) >= 0x7F7F0000
        return np.where(largest, (bits >> 16).astype(np.uint16), bfloat16_bits(values))
    return bfloat16_bits(values)


def all_finite(values: np.ndarray) -> bool:
    """Returns whether there is neither an infinity nor a NaN."""
    return bool(np.isfinite(values).all())
