"""A tensor of a checkpoint, where it lies in its file."""

from __future__ import annotations

import dataclasses
import math
import mmap
from typing import Any

import numpy as np

# The types that are read, as numpy holds them: bfloat16 as its bits.
_NUMPY_TYPES = {"bfloat16": "<u2", "float16": "<f2", "float32": "<f4"}


@dataclasses.dataclass(frozen=True)
class Tensor:
    """Where a tensor is.

    Attributes:
        path: The file.
        dtype: ``float32``, ``float16``, ``bfloat16``, or another type, which cannot be read.
        shape: Its sizes.
        offset: Of the first element, in bytes from the file's begin.
        strides: Of each axis in elements; None where the elements lie in order.
        sum_dtype: The type in which upstream adds to the tensor: bfloat16 of a PyTorch file is
            float32 there, that of safetensors is not.
    """

    path: str
    dtype: str
    shape: tuple[int, ...]
    offset: int
    strides: tuple[int, ...] | None = None
    sum_dtype: str | None = None

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def is_readable(self) -> bool:
        """Whether it has one of the types that `array` reads."""
        return self.dtype in _NUMPY_TYPES

    def array(self) -> np.ndarray:
        """Returns the tensor as a view of the mapped file, which ends when the view does."""
        dtype = np.dtype(_NUMPY_TYPES[self.dtype])
        if not self.size:
            return np.zeros(self.shape, dtype)
        strides = self.strides if self.strides is not None else _in_order(self.shape)
        last = sum((size - 1) * stride for size, stride in zip(self.shape, strides, strict=True))
        begin = self.offset // mmap.ALLOCATIONGRANULARITY * mmap.ALLOCATIONGRANULARITY
        length = self.offset - begin + (last + 1) * dtype.itemsize
        with open(self.path, "rb") as file:
            mapped = mmap.mmap(file.fileno(), length, access=mmap.ACCESS_READ, offset=begin)
        flat = np.frombuffer(mapped, dtype, last + 1, self.offset - begin)
        byte_strides = [stride * dtype.itemsize for stride in strides]
        return np.lib.stride_tricks.as_strided(flat, self.shape, byte_strides, writeable=False)


def _in_order(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(math.prod(shape[axis + 1 :]) for axis in range(len(shape)))


def is_size(value: Any) -> bool:
    """Returns whether ``value`` is an integer not below 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
