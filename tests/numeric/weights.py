"""Random weights, as a library takes them and as numbers."""

from __future__ import annotations

import dataclasses
from typing import Any

import ml_dtypes  # noqa: F401 - makes bfloat16 a dtype of numpy
import numpy as np

from tools import config
from tools.compiler.describe import describe
from tools.config import CompileKey, Quantization

EMBEDDINGS = ("embd", "embed_in", "embed_tokens", "tok_embeddings", "wpe", "wte")
"""What the names of embeddings contain; their entries are rows in every layout."""


def random_weights(
    parameters: list[dict[str, Any]], key: CompileKey, seed: int = 0
) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """Makes weights for the parameters of a library.

    Args:
        parameters: ``params`` of the library's ``_metadata``.
        key: What the library was compiled of.
        seed: Of the random numbers.

    Returns:
        The arrays in the library's order, and name to values of the unquantized weights.
    """
    random = np.random.default_rng(seed)
    quantization = config.quantization(key.quantization)
    unquantized = describe(dataclasses.replace(key, quantization="q0f32"))["params"]
    shapes = {name: shape for name, shape, _ in unquantized}
    arrays: list[np.ndarray] = []
    values: dict[str, np.ndarray] = {}
    for parameter in parameters:
        name, dtype = parameter["name"], parameter["dtype"]
        if name.endswith(".q_scale"):
            continue
        is_quantized = name.endswith(".q_weight")
        name = name.replace("q_weight", "weight")
        shape = [key.model_config.get(size, size) for size in shapes[name]]
        if is_quantized:
            stored, values[name] = quantized(random, shape, quantization)
            if quantization.layout == "KN" and not any(part in name for part in EMBEDDINGS):
                stored = [np.ascontiguousarray(array.T) for array in stored]
            arrays += stored
        else:
            is_norm = len(shape) == 1 and not name.endswith(".bias")
            array = 1 + random.standard_normal(shape) / 10 if is_norm else None
            if array is None:
                array = random.standard_normal(shape) / 16
            arrays.append(array.astype(dtype))
            values[name] = arrays[-1]
    return arrays, values


def quantized(
    random: np.random.Generator, shape: list[int], quantization: Quantization
) -> tuple[list[np.ndarray], np.ndarray]:
    """Returns words and scales in layout NK, and the weight of the given shape.

    Groups run along the last axis. What fills up the last one is random too, and has no effect.
    """
    *rows, columns = shape
    bits, group_size = quantization.bits, quantization.group_size
    largest = 2 ** (bits - 1) - 1
    per_word = 32 // bits
    groups = random.standard_normal((*rows, -(-columns // group_size), group_size)) / 16
    scales = (np.abs(groups).max(-1) / largest).astype(quantization.model_dtype)
    wide = scales.astype(np.float64)[..., None]
    integers = np.clip(np.rint(groups / wide), -largest, largest)
    values = (integers * wide).reshape(*rows, -1)[..., :columns]
    digits = (integers + largest).astype(np.uint32).reshape(*rows, -1, per_word)
    words = np.zeros(digits.shape[:-1], np.uint32)
    for position in range(per_word):
        # The first element is lowest.
        words |= digits[..., position] << np.uint32(bits * position)
    return [words, scales], values
