"""Products with a packed weight on a CPU that multiplies 16-bit integers, of one row and of many.

The left side is rounded to integers that share a scale in a block of columns. They have more bits
than float16 has, so little is lost; and a vector has twice as many of them as of float32. The
weight's digits are multiplied as they are, and the sum of a group by the group's scale.
"""

from __future__ import annotations

import math

from tvm import te, tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812

from tools.compiler.layers.epilogue import NOTHING, Epilogue
from tools.compiler.layers.integer_rows import round_row, round_rows
from tools.compiler.layers.integer_tiles import TILE_ROWS, many_rows
from tools.compiler.layers.lanes import everywhere, halved, neighbours
from tools.compiler.layers.loops import loops
from tools.compiler.layers.x86_integers import sums_of_pairs
from tools.compiler.quantization.integers import PackedIntegers

GROUPS = 8
"""Of the columns that share a scale of the left side."""


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
    size = math.gcd(integers.chunks, max(1, GROUPS // integers.scales))
    blocks = integers.chunks // size
    if isinstance(rows, tirx.IntImm):
        left, kernel = round_row, _one_row
        shapes = [(integers.steps, 2 * integers.lanes), (blocks,), (blocks, size * integers.scales)]
        dtypes = ["int16", "float32", "float32"]
    else:
        left, kernel = round_rows, many_rows
        tiles = tirx.ceildiv(rows, TILE_ROWS)
        steps = integers.steps * integers.lanes
        shapes = [(tiles, steps * TILE_ROWS), (tiles * TILE_ROWS, blocks)]
        dtypes = ["int32", "float32"]

    def product(inputs: list, outputs: list) -> None:
        kernel(inputs[: len(shapes)], inputs[len(shapes) :], *outputs, integers, epilogue)

    sides = te.extern(
        shapes,
        [x],
        loops(lambda inputs, outputs: left(*inputs, *outputs, integers)),
        dtype=dtypes,
        name="left",
    )
    return te.extern(
        [(rows, out_features)],
        [*sides, *stored],
        loops(product),
        dtype=[out_dtype],
        name="integer_product",
    )


def _one_row(
    left: list, stored: list, out: tirx.Buffer, integers: PackedIntegers, epilogue: Epilogue
) -> None:
    """Each thread reads a range of rows of the weight, one after another, as they lie in memory.

    The scales of a block of chunks are read as one vector. It is multiplied by what the weight's
    zero adds to each group, too, which spares an addition for every vector of sums.
    """
    rounded, left_scales, offsets = left
    lanes, positions = integers.lanes, integers.positions
    ramp, pairs = neighbours(0, lanes), neighbours(0, 2 * lanes)
    blocks, count = (int(size) for size in offsets.shape)
    size = integers.chunks // blocks
    groups = neighbours(0, count)
    with T.parallel(0, out.shape[1]) as row:
        total = T.alloc_buffer([lanes], "float32")
        zeros = T.alloc_buffer([count], "float32")
        scales = T.alloc_buffer([count], "float32")
        T.buffer_store(total, everywhere(0, lanes), [ramp])
        T.buffer_store(zeros, everywhere(0, count), [groups])
        with T.serial(0, blocks) as block:
            of_block = integers.scales_from(stored, row, block * size, count)
            T.buffer_store(scales, of_block, [groups])
            added = scales[groups] * offsets[block, groups]
            T.buffer_store(zeros, zeros[groups] + added, [groups])
            sums = []
            for i in range(size):
                chunk = block * size + i
                halves = T.bind(integers.halves(integers.words(stored, row, chunk)))
                products = [
                    sums_of_pairs(
                        integers.digits(halves, position, 0),
                        rounded[chunk * positions + position, pairs],
                        lanes,
                    )
                    for position in range(positions)
                ]
                part = sum(products[1:], products[0]).astype(f"float32x{lanes}")
                of_lanes = integers.of_lanes(scales[groups], i, count, lanes)
                sums.append(part * of_lanes)
            scaled = sum(sums[1:], sums[0]) * everywhere(left_scales[block], lanes)
            T.buffer_store(total, total[ramp] + scaled, [ramp])
        if count == lanes:
            result = halved(total[ramp] + zeros[ramp], lanes)
        else:
            result = T.bind(halved(total[ramp], lanes) + halved(zeros[groups], count))
        result = epilogue.finish(result, stored, row)
        T.buffer_store(out, result.astype(out.dtype), [0, row])
