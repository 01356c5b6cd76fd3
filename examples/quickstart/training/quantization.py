"""The group quantization `q4f16_1` of MLC LLM, bit for bit, in numpy.

Groups of 32 weights along the input axis share a float16 scale, max|w| / 7; a weight is stored as
round(w / scale + 7) in 0..14. All arithmetic is float16 and rounds half to even after every
operation, as upstream's kernel does. Eight levels lie in one uint32, the first in the lowest bits.
"""

from __future__ import annotations

import numpy as np

NAME = "q4f16_1"
BITS = 4
GROUP_SIZE = 32
MAX_INT = 2 ** (BITS - 1) - 1
PER_WORD = 32 // BITS


def quantize(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantizes a matrix.

    Args:
        weight: (outputs, inputs), float; inputs a multiple of 32.

    Returns:
        q_weight, uint32 (outputs, inputs / 8), and q_scale, float16 (outputs, inputs / 32). A group
        of zeros gets scale 0 and level 7.
    """
    outputs, inputs = weight.shape
    groups = weight.astype(np.float16).reshape(outputs, inputs // GROUP_SIZE, GROUP_SIZE)
    scale = np.abs(groups).max(axis=-1) / np.float16(MAX_INT)
    divisor = np.where(scale == 0, np.float16(1), scale)[..., None]
    level = np.clip(np.round(groups / divisor + np.float16(MAX_INT)), 0, 2 * MAX_INT)
    words = level.astype(np.uint32).reshape(outputs, inputs // PER_WORD, PER_WORD)
    shifts = np.arange(PER_WORD, dtype=np.uint32) * np.uint32(BITS)
    return np.bitwise_or.reduce(words << shifts, axis=-1), scale


def dequantize(q_weight: np.ndarray, q_scale: np.ndarray) -> np.ndarray:
    """The float32 matrix (outputs, inputs) that q_weight and q_scale stand for."""
    shifts = np.arange(PER_WORD, dtype=np.uint32) * np.uint32(BITS)
    level = (q_weight[..., None] >> shifts) & np.uint32(2**BITS - 1)
    level = level.reshape(q_weight.shape[0], -1).astype(np.float32) - MAX_INT
    return level * np.repeat(q_scale.astype(np.float32), GROUP_SIZE, axis=1)
