"""``silu(gate) * up`` on a CPU: with vectors, and rows on threads."""

from __future__ import annotations

import math

from tvm import te, tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812

from tools.compiler.layers.lanes import everywhere, exp2, neighbours
from tools.compiler.layers.loops import loops

MOST_LANES = 16
"""Lanes of a vector: two AVX2 vectors, to hide latency."""


def cpu_silu_mul(gate_up: te.Tensor, lanes: int) -> te.Tensor:
    """Returns ``silu(gate) * up``, computed in float32.

    Args:
        gate_up: ``(rows, 2 * columns)``: a gate and then an up of equal length.
        lanes: Elements of a vector; `columns` are a multiple.
    """
    rows, both = gate_up.shape
    columns = both // 2

    def emit(inputs: list, outputs: list) -> None:
        wide, narrow = f"float32x{lanes}", f"{gate_up.dtype}x{lanes}"
        one = everywhere(1, lanes)
        every = neighbours(0, lanes)
        loop = T.serial if isinstance(rows, tirx.IntImm) else T.parallel
        with loop(0, rows) as row, T.serial(0, columns // lanes) as i:
            place = neighbours(i * lanes, lanes)
            # A buffer, as TVM does not widen a bfloat16 that is bound to a variable.
            gate = T.alloc_buffer([lanes], "float32")
            T.buffer_store(gate, inputs[0][row, place].astype(wide), [every])
            exponent = tirx.abs(gate[every]) * everywhere(-math.log2(math.e), lanes)
            # Of a positive gate sigmoid is 1 / (1 + power), of a negative one power / (1 + power).
            power = T.bind(exp2(exponent, lanes))
            share = tirx.Select(gate[every] < everywhere(0, lanes), power, one) / (one + power)
            up = inputs[0][row, neighbours(columns + i * lanes, lanes)].astype(wide)
            T.buffer_store(outputs[0], (gate[every] * share * up).astype(narrow), [row, place])

    return te.extern(
        [(rows, columns)], [gate_up], loops(emit), dtype=[gate_up.dtype], name="silu_mul"
    )
