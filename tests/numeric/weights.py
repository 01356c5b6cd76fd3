"""Random weights, as a library takes them and as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np


def random_weights(
    parameters: list[dict[str, Any]], vocab_size: int, seed: int = 0
) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Makes weights for the parameters of a library.

    Args:
        parameters: ``params`` of the library's ``_metadata``.
        vocab_size: In place of the dynamic size.
        seed: Of the random numbers.

    Returns:
        The arrays in the library's order, and name to values of the unquantized weights.
    """
    random = np.random.default_rng(seed)
    arrays: list[np.ndarray] = []
    values: dict[str, np.ndarray] = {}
    for parameter in parameters:
        name, dtype = parameter["name"], parameter["dtype"]
        shape = [vocab_size if size == "vocab_size" else size for size in parameter["shape"]]
        if name.endswith(".q_scale"):
            continue
        if name.endswith(".q_weight"):
            rows, words = shape
            words_array, scales = _quantize(random.standard_normal((rows, words * 8)) / 16)
            arrays += [words_array, scales]
            values[name.replace("q_weight", "weight")] = _dequantize(words_array, scales)
        else:
            is_norm = len(shape) == 1 and not name.endswith(".bias")
            array = 1 + random.standard_normal(shape) / 10 if is_norm else None
            if array is None:
                array = random.standard_normal(shape) / 16
            arrays.append(array.astype(dtype))
            values[name] = arrays[-1]
    return arrays, values


def _quantize(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """q4f16_1: groups of 32 along the row, 8 to a word, the first lowest, 7 stands for zero."""
    rows, columns = values.shape
    groups = values.reshape(rows, columns // 32, 32)
    scales = (np.abs(groups).max(-1) / 7).astype(np.float16)
    integers = np.clip(np.rint(groups / scales[..., None].astype(np.float64)) + 7, 0, 14)
    integers = integers.astype(np.uint32).reshape(rows, columns // 8, 8)
    words = np.zeros(integers.shape[:2], np.uint32)
    for position in range(8):
        words |= integers[..., position] << np.uint32(4 * position)
    return words, scales


def _dequantize(words: np.ndarray, scales: np.ndarray) -> np.ndarray:
    integers = (words[..., None] >> (4 * np.arange(8, dtype=np.uint32))) & 15
    integers = integers.reshape(len(words), -1).astype(np.float64) - 7
    return integers * np.repeat(scales.astype(np.float64), 32, axis=1)
