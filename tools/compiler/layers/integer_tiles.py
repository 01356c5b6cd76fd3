"""Products of integers on a CPU with many rows of the left side.

The lanes of a vector are rows of the weight, which are columns of the result: a vector has two
digits of each. Two numbers of a row of the left side, in every lane, are multiplied by it; so no
lane is added to another. A tile is `TILE_ROWS` rows by `TILE_VECTORS` vectors, whose sums stay in
registers while a group is multiplied: 4 x 2 sums, and what is multiplied, fit into 16 of them.
A block of columns is decoded once for all rows that a pass has; it fits into the first cache.
"""

from __future__ import annotations

from tvm import tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812

from tools.compiler.layers.epilogue import Epilogue
from tools.compiler.layers.lanes import everywhere, neighbours, transposed
from tools.compiler.layers.loops import only_if
from tools.compiler.layers.x86_integers import sums_of_pairs
from tools.compiler.quantization.integers import PackedIntegers

TILE_ROWS = 4
"""Rows of the left side that are multiplied side by side."""

TILE_VECTORS = 2
"""Vectors of rows of the weight that they are multiplied by."""

MOST_TILES = 32
"""Tiles of rows of a pass, whose totals are kept."""


def many_rows(
    left: list, stored: list, out: tirx.Buffer, integers: PackedIntegers, epilogue: Epilogue
) -> None:
    """Emits the loops; each thread takes some columns of the result.

    Args:
        left: The rounded rows, and their scales.
        stored: The tensors that hold the weight, and those of the epilogue.
        out: ``(rows, columns)``.
        integers: How the weight is read.
        epilogue: What follows a sum.
    """
    rounded, left_scales = left
    rows, out_features = out.shape
    lanes, blocks = integers.lanes, int(left_scales.shape[1])
    size = integers.chunks // blocks
    groups, width = size * integers.scales, TILE_VECTORS * lanes
    places = [(r, c) for r in range(TILE_ROWS) for c in range(TILE_VECTORS)]
    with T.parallel(0, tirx.ceildiv(out_features, width)) as part:
        steps = integers.words_per_scale * integers.positions
        shape = [groups, steps, TILE_VECTORS, 2 * lanes]
        decoded = T.alloc_buffer(shape, "int16")
        factors = T.alloc_buffer([groups, TILE_VECTORS, lanes], "float32")
        totals = T.alloc_buffer([MOST_TILES, TILE_ROWS, width], "float32")
        first = T.bind(part * width)
        tiles = rounded.shape[0]
        with T.serial(0, tirx.ceildiv(tiles, MOST_TILES)) as turn:
            first_tile = T.bind(turn * MOST_TILES)
            count = T.bind(tirx.min(tiles - first_tile, MOST_TILES))
            with T.serial(0, count) as tile:
                for r, c in places:
                    T.buffer_store(totals, everywhere(0, lanes), [tile, r, _lanes(c, lanes)])
            with T.serial(0, blocks) as block:
                with T.serial(0, TILE_VECTORS) as c:
                    # Rows beyond the last are computed as it is, and not stored.
                    numbers = [
                        T.bind(tirx.min(first + c * lanes + lane, out_features - 1))
                        for lane in range(lanes)
                    ]
                    _decode(stored, numbers, decoded, factors, (block, c), integers)
                with T.serial(0, count) as tile:
                    partial = _multiply(
                        rounded, decoded, factors, first_tile + tile, block * groups, lanes
                    )
                    for r, c in places:
                        scale = left_scales[(first_tile + tile) * TILE_ROWS + r, block]
                        scaled = partial[r, c, neighbours(0, lanes)] * everywhere(scale, lanes)
                        place = [tile, r, _lanes(c, lanes)]
                        T.buffer_store(totals, totals[place] + scaled, place)
            with T.serial(0, count) as tile, T.serial(0, TILE_ROWS) as r:
                row = (first_tile + tile) * TILE_ROWS + r
                with (
                    only_if(row < rows),
                    T.serial(0, tirx.min(width, out_features - first)) as column,
                ):
                    result = epilogue.finish(totals[tile, r, column], stored, first + column)
                    T.buffer_store(out, result.astype(out.dtype), [row, first + column])


def _lanes(vector: int, lanes: int) -> tirx.Expr:
    return neighbours(vector * lanes, lanes)


def _multiply(
    rounded: tirx.Buffer, decoded: tirx.Buffer, factors: tirx.Buffer, tile, first_group, lanes: int
) -> tirx.Buffer:
    """Returns the sums of a tile in a block, without the scale of the left side."""
    groups, steps = (int(size) for size in decoded.shape[:2])
    ramp, pairs = neighbours(0, lanes), neighbours(0, 2 * lanes)
    places = [(r, c) for r in range(TILE_ROWS) for c in range(TILE_VECTORS)]
    partial = T.alloc_buffer([TILE_ROWS, TILE_VECTORS, lanes], "float32")
    sums = T.alloc_buffer([TILE_ROWS, TILE_VECTORS, lanes], "int32")
    for r, c in places:
        T.buffer_store(partial, everywhere(0, lanes), [r, c, ramp])
    with T.serial(0, groups) as group:
        for r, c in places:
            T.buffer_store(sums, everywhere(0, lanes, "int32"), [r, c, ramp])
        # A loop: LLVM reorders unrolled sums of integers until registers do not suffice.
        with T.serial(0, steps) as i:
            weights = [T.bind(decoded[group, i, c, pairs]) for c in range(TILE_VECTORS)]
            step = (first_group + group) * steps + i
            for r in range(TILE_ROWS):
                pair = tirx.Broadcast(rounded[tile, step * TILE_ROWS + r], lanes)
                vector = T.bind(tirx.reinterpret(f"int16x{2 * lanes}", pair))
                for c in range(TILE_VECTORS):
                    product = sums_of_pairs(vector, weights[c], lanes)
                    T.buffer_store(sums, sums[r, c, ramp] + product, [r, c, ramp])
        for r, c in places:
            scaled = sums[r, c, ramp].astype(f"float32x{lanes}") * factors[group, c, ramp]
            T.buffer_store(partial, partial[r, c, ramp] + scaled, [r, c, ramp])
    return partial


def _decode(
    stored: list, rows: list, decoded: tirx.Buffer, factors: tirx.Buffer, place: tuple, integers
) -> None:
    """Decodes a block of as many rows of the weight as a vector has lanes."""
    block, c = place
    lanes, words, count = integers.lanes, integers.words_per_scale, int(decoded.shape[0])
    size = count // integers.scales
    # A buffer, as TVM does not widen a bfloat16 that is bound to a variable.
    scales = T.alloc_buffer([lanes, count], "float32")
    for lane, row in enumerate(rows):
        of_row = integers.scales_from(stored, row, block * size, count)
        T.buffer_store(scales, of_row, [lane, neighbours(0, count)])
    for group in range(count):
        of_group = tirx.Shuffle([scales[lane, group] for lane in range(lanes)], list(range(lanes)))
        T.buffer_store(factors, of_group, [group, c, neighbours(0, lanes)])
    zero = everywhere(integers.zero, 2 * lanes, "int16")
    with T.serial(0, size) as i:
        chunk = block * size + i
        loaded = [integers.words(stored, row, chunk) for row in rows]
        for number, vector in enumerate(transposed(loaded)):
            halves = T.bind(integers.halves(vector))
            group = i * integers.scales + number // words
            for position in range(integers.positions):
                digits = integers.digits(halves, position, 0) - zero
                step = number % words * integers.positions + position
                index = [group, step, c, neighbours(0, 2 * lanes)]
                T.buffer_store(decoded, digits, index)
