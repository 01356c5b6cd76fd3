"""The left side of a product of integers: rows, rounded to integers of a common scale a block."""

from __future__ import annotations

import functools

from tvm import tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812

from tools.compiler.layers.lanes import everywhere, halved, neighbours, rounded_to_int16
from tools.compiler.layers.x86_integers import sums_of_pairs
from tools.compiler.quantization.integers import PackedIntegers

SMALLEST = 1e-30
"""What the largest number of a block of zeros is taken for."""


def round_rows(
    x: tirx.Buffer,
    rounded: tirx.Buffer,
    scales: tirx.Buffer,
    offsets: tirx.Buffer | None,
    integers: PackedIntegers,
    most: int,
) -> None:
    """Emits the loops that round rows, in the order of the weight's digits.

    Args:
        x: ``(rows, columns)``.
        rounded: int16 of ``(tiles, steps, rows of a tile, lanes)``; rows beyond the
            last are one of the former.
        scales: float32 of ``(rows of all tiles, blocks of chunks)``.
        offsets: int32 of ``(chunks, sums)``, where there is one row: what the weight's zero adds to
            the sums of a chunk.
        integers: How the weight is read.
        most: The largest integer.
    """
    tile, size = rounded.shape[2], integers.chunks // int(scales.shape[1])
    lanes = 2 * integers.lanes
    loop = T.parallel if offsets is None else T.serial
    with loop(0, scales.shape[0]) as padded_row, T.serial(0, scales.shape[1]) as block:
        row = tirx.min(padded_row, x.shape[0] - 1)
        largest = T.alloc_buffer([1], "float32")
        T.buffer_store(largest, T.float32(SMALLEST), [0])
        with T.serial(0, size) as i:
            magnitudes = [tirx.abs(part) for part in _parts(x, row, block * size + i, integers)]
            magnitude = halved(functools.reduce(tirx.Max, magnitudes), lanes, tirx.Max)
            T.buffer_store(largest, tirx.max(largest[0], magnitude), [0])
        T.buffer_store(scales, largest[0] / T.float32(most), [padded_row, block])
        factor = T.bind(T.float32(most) / largest[0])
        with T.serial(0, size) as i:
            chunk = block * size + i
            vectors = [
                rounded_to_int16(part * everywhere(factor, lanes), lanes)
                for part in _parts(x, row, chunk, integers)
            ]
            for position, vector in enumerate(vectors):
                step = chunk * integers.positions + position
                place = [padded_row // tile, step, padded_row % tile]
                T.buffer_store(rounded, vector, [*place, neighbours(0, lanes)])
            if offsets is not None:
                zero = everywhere(-integers.zero, lanes, "int16")
                sums = [sums_of_pairs(vector, zero, integers.lanes) for vector in vectors]
                T.buffer_store(
                    offsets, sum(sums[1:], sums[0]), [chunk, neighbours(0, integers.lanes)]
                )


def _parts(x: tirx.Buffer, row, chunk, integers: PackedIntegers) -> list[tirx.Expr]:
    """Returns a chunk's elements as float32 vectors, one for each position."""
    count = integers.elements
    every = neighbours(0, count)
    # A buffer, as TVM does not widen a bfloat16 that is bound to a variable.
    elements = T.alloc_buffer([count], "float32")
    vector = x[row, neighbours(chunk * count, count)].astype(f"float32x{count}")
    T.buffer_store(elements, vector, [every])
    return [
        T.bind(tirx.Shuffle([elements[every]], integers.columns(position)))
        for position in range(integers.positions)
    ]
