"""GPU schedules for layers of experts (`tools.compiler.layers.mixture`)."""

from __future__ import annotations

from tvm import s_tir, tirx
from tvm.s_tir import dlight
from tvm.s_tir.dlight.gpu.base import GPUScheduleRule
from tvm.target import Target

LANES = 32
"""Threads that sum a column together."""

STEP = 8
"""Neighbouring elements that a thread sums: those of a word of 4-bit weights."""

COLUMNS = (4, 2, 1)
"""Columns of a group of threads: the first of these that divides their number."""


class GPUExperts(GPUScheduleRule):
    """Schedules products of one token with its experts, and what sends tokens to experts.

    The former have the block ``expert_product``. The latter's blocks begin with ``route_``; where
    they read depends on what they read, which TVM's rules for sums do not expect. They are small:
    a thread for each element of the result is enough.
    """

    def apply(self, func: tirx.PrimFunc, target: Target, tunable: bool) -> s_tir.Schedule | None:
        if not (isinstance(func, tirx.PrimFunc) and self.is_target_available(target)):
            return None
        schedule = s_tir.Schedule(func)
        blocks = schedule.get_child_blocks(schedule.get_sblock("root"))
        names = [schedule.get(block).name_hint for block in blocks]
        if names[0].startswith("route_"):
            return dlight.gpu.Fallback().apply(func, target, tunable)
        if names == ["expert_product", "cast"]:
            _one_token(schedule, *blocks)
            return schedule
        return None


def _one_token(schedule, product, cast) -> None:
    """Threads sum parts of a column's elements, and then each other's sums."""
    expert, column = schedule.get_loops(cast)
    size = int(schedule.get(column).extent)
    width = next(columns for columns in COLUMNS if size % columns == 0)
    tile, column = schedule.split(column, [None, width])
    schedule.bind(expert, "blockIdx.y")
    schedule.bind(tile, "blockIdx.x")
    schedule.bind(column, "threadIdx.y")
    schedule.compute_at(product, column, preserve_unit_loops=True)
    schedule.set_scope(product, 0, "local")
    part, lane, step = schedule.split(schedule.get_loops(product)[-1], [None, LANES, STEP])
    schedule.reorder(lane, part, step)
    schedule.bind(lane, "threadIdx.x")
    schedule.unroll(step)
