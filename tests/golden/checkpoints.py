"""Checkpoints of random weights, the same on every machine."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.golden.cases import VOCAB_SIZE, Case


def weights(case: Case, shapes: Mapping[str, Sequence[int]]) -> dict[str, np.ndarray]:
    """Returns float32 values for tensors' names and shapes.

    Each has 8 bits of mantissa, as bfloat16 has; of gemma's norms, which are saved without the
    one that is added to them, one plus each has.
    """
    norm = 0 if case.config["model_type"].startswith("gemma") else 1
    return {name: _values(name, tuple(shape), norm) for name, shape in shapes.items()}


def _values(name: str, shape: tuple[int, ...], norm: int) -> np.ndarray:
    # The raw numbers of a bit generator are the same in every version of numpy.
    raw = np.random.PCG64(zlib.crc32(name.encode())).random_raw(int(np.prod(shape)))
    integers = (raw >> np.uint64(56)).astype(np.float32).reshape(shape) - 128
    if len(shape) == 1 and name.endswith("weight"):
        return norm + np.trunc(integers / 8) / 128
    return integers / 1024


def tokens(count: int, seed: int) -> list[int]:
    """Returns tokens of a text."""
    return [int(raw % VOCAB_SIZE) for raw in np.random.PCG64(seed).random_raw(count)]


def write(case: Case, tensors: Mapping[str, np.ndarray], directory: Path) -> list[Path]:
    """Writes config.json and the tensors in bfloat16; returns the weight files and their index."""
    (directory / "config.json").write_text(json.dumps(case.config))
    if case.checkpoint == "safetensors":
        path = directory / "model.safetensors"
        write_safetensors(path, tensors)
        return [path]
    index: dict[str, Any] = {"metadata": {}, "weight_map": {}}
    paths = []
    for number in range(2):
        path = directory / f"model-{number + 1:05}-of-00002.safetensors"
        names = list(tensors)[number::2]
        write_safetensors(path, {name: tensors[name] for name in names})
        index["weight_map"] |= dict.fromkeys(names, path.name)
        paths.append(path)
    path = directory / "model.safetensors.index.json"
    path.write_text(json.dumps(index))
    return [*paths, path]


def write_safetensors(path: Path, tensors: Mapping[str, np.ndarray]) -> None:
    """Writes float32 values, which bfloat16 holds, as such."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = []
    offset = 0
    for name, values in tensors.items():
        bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
        assert not (bits & 0xFFFF).any(), f"{name} is not of bfloat16"
        data.append((bits >> 16).astype("<u2").tobytes())
        span = [offset, offset + len(data[-1])]
        header[name] = {"dtype": "BF16", "shape": list(values.shape), "data_offsets": span}
        offset = span[1]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(data))
