"""The left side of a product of integers: rows, rounded to integers of a common scale a block."""

from __future__ import annotations

import functools

from tvm import tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812

from tools.compiler.layers.lanes import everywhere, halved, neighbours, rounded_to_int16
from tools.compiler.layers.x86_integers import sums_of_pairs
from tools.compiler.quantization.integers import PackedIntegers

MOST = (1 << 15) - 1
"""The largest integer. Its products with digits leave bits for the sum of a group."""

_SMALLEST = 1e-30
"""What the largest number of a block of zeros is taken for."""


def round_row(
    x: tirx.Buffer,
    rounded: tirx.Buffer,
    scales: tirx.Buffer,
    offsets: tirx.Buffer,
    integers: PackedIntegers,
) -> None:
    """Emits the loops that round one row, in the order of the weight's digits.

    Args:
        x: ``(1, columns)``.
        rounded: int16 of ``(steps, lanes)``.
        scales: float32 of ``(blocks of chunks,)``.
        offsets: float32 of ``(blocks, groups)``: what the weight's zero adds to a group, without
            the weight's scale.
        integers: How the weight is read.
    """
    size, lanes = integers.chunks // int(scales.shape[0]), 2 * integers.lanes
    with T.serial(0, scales.shape[0]) as block:
        factor = _factor(x, 0, block, size, scales, [block], integers)
        with T.serial(0, size) as i:
            chunk = block * size + i
            elements = _elements(x, 0, chunk, integers)
            vectors = [
                tirx.Shuffle([elements], integers.columns(position))
                for position in range(integers.positions)
            ]
            vectors = [rounded_to_int16(v * everywhere(factor, lanes), lanes) for v in vectors]
            for position, vector in enumerate(vectors):
                step = chunk * integers.positions + position
                T.buffer_store(rounded, vector, [step, neighbours(0, lanes)])
            zero = everywhere(-integers.zero, lanes, "int16")
            sums = [sums_of_pairs(vector, zero, integers.lanes) for vector in vectors]
            total, words = T.bind(sum(sums[1:], sums[0])), integers.words_per_scale
            for group in range(integers.scales):
                of_group = list(range(group * words, (group + 1) * words))
                offset = halved(tirx.Shuffle([total], of_group), words).astype("float32")
                index = [block, i * integers.scales + group]
                T.buffer_store(offsets, offset * scales[block], index)


def round_rows(
    x: tirx.Buffer, rounded: tirx.Buffer, scales: tirx.Buffer, integers: PackedIntegers
) -> None:
    """Emits the loops that round many rows, in tiles.

    Args:
        x: ``(rows, columns)``.
        rounded: int32 of ``(tiles, steps * rows of a tile)``: of every step and row the two int16
            that are multiplied by the halves of a word. Rows beyond the last are one of the former.
        scales: float32 of ``(rows of all tiles, blocks of chunks)``.
        integers: How the weight is read.
    """
    tiles, blocks = rounded.shape[0], int(scales.shape[1])
    size, count = integers.chunks // blocks, integers.elements
    steps = integers.steps * integers.lanes
    tile_rows = int(rounded.shape[1]) // steps
    with T.parallel(0, tiles * tile_rows) as padded_row, T.serial(0, blocks) as block:
        row = tirx.min(padded_row, x.shape[0] - 1)
        factor = _factor(x, row, block, size, scales, [padded_row, block], integers)
        with T.serial(0, size) as i:
            chunk = block * size + i
            elements = _elements(x, row, chunk, integers) * everywhere(factor, count)
            ordered = tirx.Shuffle([rounded_to_int16(elements, count)], integers.pairs())
            first = chunk * (count // 2) * tile_rows + padded_row % tile_rows
            place = [padded_row // tile_rows, tirx.Ramp(first, tile_rows, count // 2)]
            T.buffer_store(rounded, tirx.reinterpret(f"int32x{count // 2}", ordered), place)


def _factor(
    x: tirx.Buffer, row, block, size: int, scales: tirx.Buffer, place: list, integers
) -> tirx.Expr:
    """Stores the scale of a block; returns what the block's numbers are to be multiplied by."""
    lanes = 2 * integers.lanes
    largest = T.alloc_buffer([1], "float32")
    T.buffer_store(largest, T.float32(_SMALLEST), [0])
    with T.serial(0, size) as i:
        elements = _elements(x, row, block * size + i, integers)
        parts = [
            tirx.abs(tirx.Shuffle([elements], list(range(first, first + lanes))))
            for first in range(0, integers.elements, lanes)
        ]
        magnitude = halved(functools.reduce(tirx.Max, parts), lanes, tirx.Max)
        T.buffer_store(largest, tirx.max(largest[0], magnitude), [0])
    T.buffer_store(scales, largest[0] / T.float32(MOST), place)
    return T.bind(T.float32(MOST) / largest[0])


def _elements(x: tirx.Buffer, row, chunk, integers: PackedIntegers) -> tirx.Expr:
    """Returns a chunk's elements, as float32."""
    count = integers.elements
    every = neighbours(0, count)
    # A buffer, as TVM does not widen a bfloat16 that is bound to a variable.
    elements = T.alloc_buffer([count], "float32")
    vector = x[row, neighbours(chunk * count, count)].astype(f"float32x{count}")
    T.buffer_store(elements, vector, [every])
    return T.bind(elements[every])
