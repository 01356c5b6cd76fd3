"""CPU schedules for products with a transposed weight (`tools.compiler.layers.linear`).

TVM's own rule for CPUs unrolls the reduction into minutes of code generation and runs slower.
"""

from __future__ import annotations

from tvm import s_tir, tirx
from tvm.s_tir.dlight.cpu.base import CPUScheduleRule
from tvm.target import Target

LANES = 8
"""float32 lanes of a vector: AVX2 has 8; NEON has 4 and uses two registers."""

TILE_N = 16
"""Columns of the output that a GEMM step holds in registers."""

TILE_M = 4
"""Rows of the output that a GEMM step holds in registers; TILE_M * TILE_N / 8 = 8 accumulators."""


class CPUMatmul(CPUScheduleRule):
    """Schedules functions with a block ``NT_matmul``, with and without ``dequantize``."""

    def apply(self, func: tirx.PrimFunc, target: Target, _tunable: bool) -> s_tir.Schedule | None:
        if not (isinstance(func, tirx.PrimFunc) and self.is_target_available(target)):
            return None
        schedule = s_tir.Schedule(func)
        blocks = schedule.get_child_blocks(schedule.get_sblock("root"))
        names = [schedule.get(block).name_hint for block in blocks]
        if names.count("NT_matmul") != 1:
            return None
        position = names.index("NT_matmul")
        matmul = blocks[position]
        dequantize = blocks[names.index("dequantize")] if "dequantize" in names else None
        widen = blocks[names.index("widen")] if "widen" in names else None
        *epilogue, last = blocks[position:]
        for block in epilogue[1:]:
            schedule.compute_inline(block)
        output = last if last is not matmul and epilogue else None
        *spatial, _, k = schedule.get_loops(matmul)
        if _extent(schedule, k) is None or _extent(schedule, k) % LANES:
            return None
        if all(_extent(schedule, loop) == 1 for loop in spatial):
            return _gemv(schedule, matmul, dequantize, output)
        return _gemm(schedule, matmul, dequantize, output)


def _gemv(schedule, matmul, dequantize, output) -> s_tir.Schedule:
    """One row: each thread takes a range of columns, a column is summed in `LANES` lanes."""
    if dequantize is not None:
        schedule.compute_inline(dequantize)
    rank = len(schedule.get_loops(matmul)) - 1
    *_, k = schedule.get_loops(matmul)
    steps = _extent(schedule, k) // LANES
    _, lane = schedule.split(k, [None, LANES])
    partial = schedule.rfactor(lane, rank)
    column = schedule.get_loops(matmul if output is None else output)[rank - 1]
    schedule.parallel(column)
    if output is not None:
        schedule.compute_at(matmul, column, preserve_unit_loops=True)
    schedule.compute_at(partial, column, preserve_unit_loops=True)
    loops = schedule.get_loops(partial)[rank:]
    lane = next(loop for loop in loops if _extent(schedule, loop) == LANES)
    step = next(loop for loop in reversed(loops) if _extent(schedule, loop) == steps)
    schedule.reorder(step, lane)
    schedule.vectorize(lane)
    init = schedule.decompose_reduction(partial, step)
    schedule.vectorize(schedule.get_loops(init)[-1])
    return schedule


def _gemm(schedule, matmul, dequantize, output) -> s_tir.Schedule | None:
    return None


def _extent(schedule: s_tir.Schedule, loop) -> int | None:
    extent = schedule.get(loop).extent
    return int(extent) if isinstance(extent, tirx.IntImm) else None
