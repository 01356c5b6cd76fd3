"""How a CPU's kernels read a row of a weight: as vectors, rather than as elements.

A row is ``chunks`` chunks of ``positions`` vectors of ``lanes`` elements. Where elements are
packed, a chunk is a vector of words, and one of its vectors is what the words have at a position: a
mask yields it, and no element moves to another lane. So neighbouring lanes are not neighbouring
columns; the kernel puts the elements of the other side into the same order.
"""

from __future__ import annotations

import abc
import math

from tvm import tirx


class RowVectors(abc.ABC):
    """How the rows of a weight are read.

    An element is ``(digit * factor(position) - zero) * scale``.

    Attributes:
        columns: Length of a row.
        chunks: Parts of a row.
        positions: Vectors of a chunk.
        lanes: Elements of a vector.
        zero: The digit that stands for 0, where digits are multiplied by their factor.
    """

    zero = 0

    def __init__(self, columns: int, chunks: int, positions: int, lanes: int) -> None:
        self.columns = columns
        self.chunks = chunks
        self.positions = positions
        self.lanes = lanes

    def column(self, chunk: tirx.Expr, position: int, lane: tirx.Expr) -> tirx.Expr:
        """Returns the column of an element; it may be beyond the last."""
        return (chunk * self.lanes + lane) * self.positions + position

    def factor(self, position: int) -> float:
        """Returns what the digits at a position are to be multiplied by, a power of two."""
        return 1.0

    @abc.abstractmethod
    def digits(self, stored: list, row: tirx.Expr, chunk: tirx.Expr, position: int) -> tirx.Expr:
        """Returns a vector of digits, as float32.

        Args:
            stored: The weight's tensors.
            row: Index into the weight's rows.
            chunk: Index into the row's chunks.
            position: Index into the chunk's vectors.
        """

    @abc.abstractmethod
    def scaled(
        self, vector: tirx.Expr, stored: list, row: tirx.Expr, chunk: tirx.Expr
    ) -> tirx.Expr:
        """Returns a float32 vector times the scales of the lanes of a chunk."""


class PlainVectors(RowVectors):
    """Of a weight that is stored as it is."""

    def __init__(self, columns: int, lanes: int) -> None:
        super().__init__(columns, columns // lanes, 1, lanes)

    def digits(self, stored, row, chunk, position):
        vector = stored[0][row, tirx.Ramp(chunk * self.lanes, 1, self.lanes)]
        return vector.astype(f"float32x{self.lanes}")

    def scaled(self, vector, stored, row, chunk):
        return vector


class PackedVectors(RowVectors):
    """Of 32-bit words, the first of whose elements is in the lowest bits, and of scales.

    Args:
        columns: Length of a row.
        words: Words of a row.
        lanes: Words that are read at once.
        words_per_scale: Words that share a scale.
        bits: Bits of an element.
    """

    def __init__(
        self, columns: int, words: int, lanes: int, words_per_scale: int, bits: int
    ) -> None:
        super().__init__(columns, words // lanes, 32 // bits, lanes)
        self.words_per_scale = words_per_scale
        self.bits = bits
        self.zero = (1 << (bits - 1)) - 1

    def factor(self, position):
        return 1.0 if self._is_highest(position) else 2.0 ** (-self.bits * position)

    def digits(self, stored, row, chunk, position):
        words = stored[0][row, tirx.Ramp(chunk * self.lanes, 1, self.lanes)]
        first_bit = self.bits * position
        if self._is_highest(position):
            digits = words >> self._everywhere(first_bit)
        else:
            # Left where they are in the word: float32 has a digit times a power of two as it is.
            digits = words & self._everywhere(((1 << self.bits) - 1) << first_bit)
        # By way of int32: x86-64-v3 has no conversion from unsigned integers to floats.
        return digits.astype(f"int32x{self.lanes}").astype(f"float32x{self.lanes}")

    def scaled(self, vector, stored, row, chunk):
        count = self.lanes // self.words_per_scale
        if count == 1:
            scale = stored[1][row, chunk].astype("float32")
            return vector * tirx.Broadcast(scale, self.lanes)
        scales = stored[1][row, tirx.Ramp(chunk * count, 1, count)].astype(f"float32x{count}")
        of_lanes = [lane // self.words_per_scale for lane in range(self.lanes)]
        # A shuffle has no more lanes than what it takes.
        return vector * tirx.Shuffle([scales] * self.words_per_scale, of_lanes)

    def _is_highest(self, position: int) -> bool:
        """Whether the digits have a word's highest bit, which would be an integer's sign."""
        return self.bits * (position + 1) == 32

    def _everywhere(self, value: int) -> tirx.Expr:
        return tirx.Broadcast(tirx.const(value, "uint32"), self.lanes)


def lanes_of(length: int, most: int) -> int | None:
    """Returns the largest power of two that divides a length; None where it is below 4.

    Args:
        length: What is read.
        most: A power of two, the largest allowed, or 0.
    """
    lanes = math.gcd(length, most) if most else 0
    return lanes if lanes >= 4 else None
