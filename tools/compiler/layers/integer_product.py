"""Products with a packed weight on a CPU that multiplies 16-bit integers, of one row and of many.

The left side is rounded to integers that share a scale in a block of columns. They have more bits
than float16 has, so little is lost; and a vector has twice as many of them as of float32.
"""

from __future__ import annotations

import math

from tvm import te, tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812

from tools.compiler.layers.epilogue import NOTHING, Epilogue
from tools.compiler.layers.integer_rows import SMALLEST, round_rows
from tools.compiler.layers.lanes import everywhere, halved, neighbours, rounded_to_int16
from tools.compiler.layers.loops import loops, only_if
from tools.compiler.layers.x86_integers import fractions, sums_of_pairs
from tools.compiler.quantization.integers import PackedIntegers

TILE_ROWS = 4
"""Rows of the left side that a product of many rows multiplies side by side."""

TILE_COLUMNS = 2
"""Rows of the weight of the same: 4 x 2 sums, and what is multiplied, fit into 16 registers."""

MOST_SHARING = 256
"""Columns of the left side that share a scale in a product of many rows."""

MOST_SUMMED = 16
"""Pairs of products that a lane adds up there before the sum becomes float32; the fewer, the larger
the integers whose sums fit into 32 bits."""

DECODED = 1 << 16
"""About how many elements of the weight are decoded at once: 128 KB, which caches hold."""

MOST_DECODED_ROWS = 30
"""Of the weight, at once; with more, threads would get too few parts."""


def integer_product(
    x: te.Tensor,
    stored: list[te.Tensor],
    integers: PackedIntegers,
    out_dtype: str,
    epilogue: Epilogue = NOTHING,
) -> te.Tensor:
    """Returns ``x @ weight.T``, and what follows.

    Args:
        x: ``(rows, columns)``; the number of rows is 1 or dynamic.
        stored: The tensors that hold the weight, and those of the epilogue.
        integers: How its rows are read from them.
        out_dtype: dtype of the result.
        epilogue: What follows the product.
    """
    rows, out_features = x.shape[0], stored[0].shape[0]
    is_one = isinstance(rows, tirx.IntImm)
    tile = 1 if is_one else TILE_ROWS
    tiles = tirx.ceildiv(rows, tile)
    blocks = integers.chunks if is_one else integers.chunks // _chunks_of_block(integers)
    shapes = [(tiles, integers.steps, tile, 2 * integers.lanes), (tiles * tile, blocks)]
    dtypes = ["int16", "float32"]
    if is_one:
        shapes.append((integers.chunks, integers.lanes))
        dtypes.append("int32")

    def left(inputs: list, outputs: list) -> None:
        offsets = outputs[2] if is_one else None
        # The weight's integers are up to 2 ** 13 in a product of many rows.
        pairs = integers.steps // blocks
        most = (1 << 15) - 1 if is_one else ((1 << 31) - 1) // (2 * pairs << 13)
        round_rows(*inputs, *outputs[:2], offsets, integers, most)

    def product(inputs: list, outputs: list) -> None:
        kernel = _one_row if is_one else _many_rows
        kernel(inputs[: len(shapes)], inputs[len(shapes) :], *outputs, integers, epilogue)

    sides = te.extern(shapes, [x], loops(left), dtype=dtypes, name="left")
    return te.extern(
        [(rows, out_features)],
        [*sides, *stored],
        loops(product),
        dtype=[out_dtype],
        name="integer_product",
    )


def _chunks_of_block(integers: PackedIntegers) -> int:
    """Returns how many chunks share scales in a product of many rows."""
    fitting = min(MOST_SHARING // integers.elements, MOST_SUMMED // integers.positions)
    return math.gcd(integers.chunks, 1 << (fitting.bit_length() - 1))


def _one_row(
    left: list, stored: list, out: tirx.Buffer, integers: PackedIntegers, epilogue: Epilogue
) -> None:
    """Each thread reads a range of rows of the weight, one after another, as they lie in memory."""
    rounded, left_scales, offsets = left
    lanes, positions = integers.lanes, integers.positions
    ramp, pairs = neighbours(0, lanes), neighbours(0, 2 * lanes)
    with T.parallel(0, out.shape[1]) as row:
        total = T.alloc_buffer([lanes], "float32")
        T.buffer_store(total, everywhere(0, lanes), [ramp])
        with T.serial(0, integers.chunks) as chunk:
            halves = T.bind(integers.halves(stored, row, chunk))
            part = offsets[chunk, ramp]
            for position in range(positions):
                factors = rounded[0, chunk * positions + position, 0, pairs]
                digits = integers.digits(halves, position, 0)
                part = part + sums_of_pairs(digits, factors, lanes)
            part = part.astype(f"float32x{lanes}") * everywhere(left_scales[0, chunk], lanes)
            scales = integers.scales_from(stored, row, chunk, integers.scales)
            T.buffer_store(total, total[ramp] + part * integers.of_lanes(scales, lanes), [ramp])
        result = epilogue.finish(halved(total[ramp], lanes), stored, row)
        T.buffer_store(out, result.astype(out.dtype), [0, row])


def _many_rows(
    left: list, stored: list, out: tirx.Buffer, integers: PackedIntegers, epilogue: Epilogue
) -> None:
    """Each thread decodes some rows of the weight once, and runs over the rows of the left side."""
    rounded, left_scales = left
    rows, out_features = out.shape
    lanes, blocks = integers.lanes, int(left_scales.shape[1])
    ramp, pairs = neighbours(0, lanes), neighbours(0, 2 * lanes)
    fitting = DECODED // (integers.chunks * integers.elements) // TILE_COLUMNS
    tiles = max(1, min(MOST_DECODED_ROWS // TILE_COLUMNS, fitting))
    places = [(r, c) for r in range(TILE_ROWS) for c in range(TILE_COLUMNS)]
    with T.parallel(0, tirx.ceildiv(out_features, tiles * TILE_COLUMNS)) as part:
        decoded = T.alloc_buffer([tiles, integers.steps, TILE_COLUMNS, 2 * lanes], "int16")
        factors = T.alloc_buffer([tiles, blocks, TILE_COLUMNS], "float32")
        first = T.bind(part * (tiles * TILE_COLUMNS))
        with T.serial(0, tiles) as tile, T.serial(0, blocks) as block:
            for c in range(TILE_COLUMNS):
                # Rows beyond the last are computed as it is, and not stored.
                row = T.bind(tirx.min(first + tile * TILE_COLUMNS + c, out_features - 1))
                _decode(stored, row, decoded, factors, (tile, block, c), integers)
        with (
            T.serial(0, tirx.ceildiv(rows, TILE_ROWS)) as row_tile,
            T.serial(0, tiles) as tile,
        ):
            totals = T.alloc_buffer([TILE_ROWS, TILE_COLUMNS, lanes], "float32")
            sums = T.alloc_buffer([TILE_ROWS, TILE_COLUMNS, lanes], "int32")
            for r, c in places:
                T.buffer_store(totals, everywhere(0, lanes), [r, c, ramp])
            with T.serial(0, blocks) as block:
                for r, c in places:
                    T.buffer_store(sums, everywhere(0, lanes, "int32"), [r, c, ramp])
                # A loop: LLVM reorders unrolled sums of integers until registers do not suffice.
                with T.serial(0, integers.steps // blocks) as i:
                    step = block * (integers.steps // blocks) + i
                    weights = [T.bind(decoded[tile, step, c, pairs]) for c in range(TILE_COLUMNS)]
                    for r in range(TILE_ROWS):
                        vector = T.bind(rounded[row_tile, step, r, pairs])
                        for c in range(TILE_COLUMNS):
                            product = sums_of_pairs(vector, weights[c], lanes)
                            T.buffer_store(sums, sums[r, c, ramp] + product, [r, c, ramp])
                for r, c in places:
                    scale = left_scales[row_tile * TILE_ROWS + r, block] * factors[tile, block, c]
                    scaled = sums[r, c, ramp].astype(f"float32x{lanes}")
                    scaled = scaled * everywhere(scale, lanes)
                    T.buffer_store(totals, totals[r, c, ramp] + scaled, [r, c, ramp])
            for r, c in places:
                row, column = row_tile * TILE_ROWS + r, first + tile * TILE_COLUMNS + c
                with only_if(row < rows, column < out_features):
                    total = halved(totals[r, c, ramp], lanes)
                    result = epilogue.finish(total, stored, column)
                    T.buffer_store(out, result.astype(out.dtype), [row, column])


def _decode(
    stored: list, row, decoded: tirx.Buffer, factors: tirx.Buffer, place: tuple, integers
) -> None:
    """Decodes a block of a row of the weight: as integers up to 2 ** 13, and a factor of them.

    A digit becomes a large number, and its scale a fraction of the block's largest one.
    """
    tile, block, c = place
    lanes, positions = 2 * integers.lanes, integers.positions
    size = integers.chunks // int(factors.shape[1])
    count = size * integers.scales
    # A buffer, as TVM does not widen a bfloat16 that is bound to a variable.
    scales = T.alloc_buffer([count], "float32")
    of_block = integers.scales_from(stored, row, block * size, count)
    T.buffer_store(scales, of_block, [neighbours(0, count)])
    largest = halved(tirx.abs(scales[neighbours(0, count)]), count, tirx.Max)
    largest = T.bind(tirx.max(largest, T.float32(SMALLEST)))
    first_bit = 14 - integers.bits
    unit = 2.0 ** (15 - first_bit) / ((1 << 15) - 1)
    T.buffer_store(factors, largest * T.float32(unit), [tile, block, c])
    fraction = T.bind(T.float32((1 << 15) - 1) / largest)
    zero = everywhere(integers.zero << first_bit, lanes, "int16")
    with T.serial(0, size) as i:
        chunk = block * size + i
        halves = T.bind(integers.halves(stored, row, chunk))
        of_chunk = scales[neighbours(i * integers.scales, integers.scales)]
        multipliers = rounded_to_int16(
            of_chunk * everywhere(fraction, integers.scales), integers.scales
        )
        multipliers = T.bind(integers.of_lanes(multipliers, lanes))
        for position in range(positions):
            digits = integers.digits(halves, position, first_bit) - zero
            index = [tile, chunk * positions + position, c, neighbours(0, lanes)]
            T.buffer_store(decoded, fractions(digits, multipliers, lanes), index)
