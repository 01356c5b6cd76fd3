"""CPU schedules for products with a weight in ``KN`` layout, and of one token with its experts.

Those with a weight in ``NK`` layout are kernels (`tools.compiler.layers.cpu_product`).
TVM's own rule for CPUs unrolls the reduction into minutes of code generation and runs slower.
"""

from __future__ import annotations

from tvm import s_tir, tirx
from tvm.s_tir.dlight.cpu.base import CPUScheduleRule
from tvm.target import Target

LANES = 16
"""Elements that a product of one row sums side by side: two AVX2 vectors, to hide latency."""

TILE_ROWS = 4
"""Rows of the output that a product of many rows computes side by side."""

TILE_COLUMNS = 16
"""Columns of the same: 4 x 16 sums are 8 AVX2 registers of 16, or 16 NEON registers of 32."""

WIDE_TILE_COLUMNS = 64
"""Columns that a product of one row computes side by side."""


class CPUMatmul(CPUScheduleRule):
    """Schedules functions with a product of one row, or of a dynamic number of rows.

    The product is the block ``matmul``, or ``expert_product``.

    Around it there may be ``widen`` (the left side in the dtype of the sum), ``dequantize`` (the
    right side in it) and, after it, element-wise blocks that fusion has added.
    """

    def apply(self, func: tirx.PrimFunc, target: Target, _tunable: bool) -> s_tir.Schedule | None:
        if not (isinstance(func, tirx.PrimFunc) and self.is_target_available(target)):
            return None
        if func.body.block.name_hint != "root":
            return None
        schedule = s_tir.Schedule(func)
        blocks = schedule.get_child_blocks(schedule.get_sblock("root"))
        names = [schedule.get(block).name_hint for block in blocks]
        products = [name for name in names if name in ("matmul", "expert_product")]
        if len(products) != 1:
            return None
        position = names.index(products[0])
        before = dict(zip(names[:position], blocks[:position], strict=True))
        matmul, *after = blocks[position:]
        rows, _, k = schedule.get_loops(matmul)
        if not before.keys() <= {"widen", "dequantize"} or (_size(schedule, k) or 1) % LANES:
            return None
        of_experts = products[0] == "expert_product"
        if _size(schedule, rows) not in (1, None) and not of_experts:
            return None
        for block in after[:-1]:
            schedule.compute_inline(block)
        output = after[-1] if after else None
        if of_experts:
            _one_row(schedule, matmul, before, output)
        elif _size(schedule, rows) != 1:
            _many_rows(schedule, matmul, before, output)
        else:
            _one_row_side_by_side(schedule, matmul, before, output)
        return schedule


def _one_row(schedule, matmul, before, output) -> None:
    """Each thread takes a range of columns and sums a column in `LANES` lanes."""
    if "dequantize" in before:
        schedule.compute_inline(before["dequantize"])
    _, _, k = schedule.get_loops(matmul)
    _, lane = schedule.split(k, [None, LANES])
    partial = schedule.rfactor(lane, 2)
    column = schedule.fuse(*schedule.get_loops(matmul if output is None else output)[:2])
    schedule.parallel(column)
    if output is not None:
        schedule.compute_at(matmul, column, preserve_unit_loops=True)
    schedule.compute_at(partial, column, preserve_unit_loops=True)
    lane, *_, step = schedule.get_loops(partial)[1:]
    schedule.reorder(step, lane)
    schedule.vectorize(lane)
    init = schedule.decompose_reduction(partial, step)
    schedule.vectorize(schedule.get_loops(init)[-1])


def _one_row_side_by_side(schedule, matmul, before, output) -> None:
    """Each thread takes tiles of columns, decodes a part of their weight and adds it to the sums.

    The elements of a row of the weight are those of different columns, so the lanes are columns.
    """
    if (_size(schedule, schedule.get_loops(matmul)[1]) or 1) % WIDE_TILE_COLUMNS:
        schedule.pad_einsum(matmul, [1, WIDE_TILE_COLUMNS, 1])
        (trimmed,) = schedule.get_consumers(matmul)
        if output is None:
            output = trimmed
        else:
            schedule.compute_inline(trimmed)
    weight_tile = schedule.cache_read(matmul, 1, "global")
    for block in before.values():
        schedule.compute_inline(block)
    for padded in schedule.get_producers(weight_tile):
        schedule.compute_inline(padded)
    _, j, k = schedule.get_loops(matmul)
    tile, column = schedule.split(j, [None, WIDE_TILE_COLUMNS])
    part, step = schedule.split(k, [None, LANES])
    schedule.reorder(tile, part, step, column)
    schedule.parallel(tile)
    schedule.vectorize(column)
    schedule.compute_at(weight_tile, part, preserve_unit_loops=True)
    schedule.vectorize(schedule.get_loops(weight_tile)[-1])
    if output is not None:
        schedule.reverse_compute_at(output, tile, preserve_unit_loops=True)
        if _size(schedule, schedule.get_loops(output)[-1]) == WIDE_TILE_COLUMNS:
            schedule.vectorize(schedule.get_loops(output)[-1])
    schedule.decompose_reduction(matmul, part)


def _many_rows(schedule, matmul, before, output) -> None:
    """Each thread takes tiles of columns, decodes a tile of the weight once, and runs over rows.

    Rows and columns are padded to whole tiles, so that the innermost loops have no conditions.
    """
    schedule.pad_einsum(matmul, [TILE_ROWS, TILE_COLUMNS, 1])
    (trimmed,) = schedule.get_consumers(matmul)
    left = schedule.cache_read(matmul, 0, "global")
    weight_tile = schedule.cache_read(matmul, 1, "global")
    for block in before.values():
        schedule.compute_inline(block)
    for copy in (left, weight_tile):
        for padded in schedule.get_producers(copy):
            schedule.compute_inline(padded)
    if output is None:
        output = trimmed
    else:
        schedule.compute_inline(trimmed)

    i, j, k = schedule.get_loops(matmul)
    row_tile, row = schedule.split(i, [None, TILE_ROWS])
    column_tile, column = schedule.split(j, [None, TILE_COLUMNS])
    schedule.reorder(column_tile, row_tile, k, row, column)
    schedule.parallel(column_tile)

    schedule.transform_layout(
        weight_tile, ("write", 0), lambda k, j: (j // TILE_COLUMNS, k, j % TILE_COLUMNS)
    )
    schedule.compute_at(weight_tile, column_tile, preserve_unit_loops=True)
    schedule.vectorize(schedule.get_loops(weight_tile)[-1])

    left_row, left_k = schedule.get_loops(left)
    schedule.parallel(left_row)
    _, lane = schedule.split(left_k, [None, LANES])
    schedule.vectorize(lane)

    schedule.reverse_compute_at(output, row_tile, preserve_unit_loops=True)
    if _size(schedule, schedule.get_loops(output)[-1]) == TILE_COLUMNS:
        schedule.vectorize(schedule.get_loops(output)[-1])
    schedule.vectorize(column)
    schedule.unroll(row)
    schedule.decompose_reduction(matmul, k)


def _size(schedule: s_tir.Schedule, loop) -> int | None:
    extent = schedule.get(loop).extent
    return int(extent) if isinstance(extent, tirx.IntImm) else None
