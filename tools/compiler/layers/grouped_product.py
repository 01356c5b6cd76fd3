"""Products of rows that are sorted by expert, each with its expert's matrix.

How many rows an expert has is known only when the kernel runs, and sums that nobody needs must not
be computed; so these kernels are loops, rather than tensor expressions with schedules.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from tvm import te, tirx
from tvm.script.ir_builder import IRBuilder
from tvm.script.ir_builder import tirx as T  # noqa: N812

from tools.compiler.layers.loops import only_if

Element = Callable[[list, tirx.Expr, tirx.Expr, tirx.Expr], tirx.Expr]
"""``(stored tensors, expert, row, column) -> element`` of an expert's matrix."""

CPU_ROWS = 4
"""Rows that a thread of a CPU computes side by side."""

CPU_COLUMNS = 16
"""Columns of the same: 4 x 16 sums are 8 AVX2 registers of 16, or 16 NEON registers of 32."""

GPU_ROWS = 8
"""Rows that a thread of a GPU computes, so that a decoded weight is used as often."""

GPU_COLUMNS = 2
"""Columns of the same: 8 x 2 sums leave registers for a phone's GPU."""

GPU_THREADS = 64
"""Threads of a group, which take neighbouring columns."""

GPU_DEPTH = 8
"""Elements of a row that are unrolled: those of a word, which is then loaded once."""


def grouped_product(
    x: te.Tensor,
    plan: list[te.Tensor],
    stored: list[te.Tensor],
    element: Element,
    out_features: int,
    compute_dtype: str,
) -> te.Tensor:
    """Returns ``x[r] @ matrix[e].T`` for each row ``r`` of each expert ``e``, summed in float32.

    Args:
        x: ``(tokens, chosen, in_features)``, whose first two axes are one: the row. Rows are
            sorted by expert.
        plan: ``(experts + 1,) int32``: where each expert's rows begin, and where they end; for a
            GPU also `block_ends` of it.
        stored: The tensors that hold the matrices, the experts being their first axis.
        element: Reads an element from them.
        out_features: Rows of a matrix.
        compute_dtype: dtype of `element`, in which elements are multiplied.

    Returns:
        ``(tokens, chosen, out_features)`` of the dtype of `x`.
    """
    kernel = _cpu if len(plan) == 1 else _gpu

    def loops(inputs: list[tirx.Buffer], outputs: list[tirx.Buffer]) -> tirx.Stmt:
        (rows, *read), buffers = inputs[: -len(stored)], inputs[-len(stored) :]
        read_element = functools.partial(element, buffers)
        with IRBuilder() as builder:
            kernel(_Rows(rows), *read, _Rows(outputs[0]), read_element, compute_dtype)
        return builder.get()

    return te.extern(
        [(*x.shape[:2], out_features)],
        [x, *plan, *stored],
        loops,
        dtype=[x.dtype],
        name="grouped_product",
    )


def block_ends(first_rows: te.Tensor) -> te.Tensor:
    """Returns how many blocks of `GPU_ROWS` rows there are up to each expert's last.

    A block has rows of one expert, and an expert's last block may have less than the others.

    Args:
        first_rows: ``(experts + 1,) int32``.

    Returns:
        ``(experts,) int32``.
    """
    experts = first_rows.shape[0] - 1
    e = te.reduce_axis((0, experts), "e")

    def end(last: tirx.Var) -> tirx.Expr:
        rows = first_rows[e + 1] - first_rows[e]
        blocks = tirx.floordiv(rows + (GPU_ROWS - 1), GPU_ROWS)
        return te.sum(tirx.Select(e <= last, blocks, tirx.const(0, "int32")), axis=e)

    return te.compute((experts,), end, name="route_block_ends")


class _Rows:
    """A buffer ``(tokens, chosen, size)`` as the rows that it is."""

    def __init__(self, buffer: tirx.Buffer) -> None:
        self.buffer = buffer
        self.tokens, self.chosen, size = buffer.shape
        self.size = int(size)

    def load(self, row: tirx.Expr, column: tirx.Expr) -> tirx.Expr:
        return self.buffer[row // self.chosen, row % self.chosen, column]

    def store(self, value: tirx.Expr, row: tirx.Expr, column: tirx.Expr) -> None:
        indices = [row // self.chosen, row % self.chosen, column]
        T.buffer_store(self.buffer, value.astype(self.buffer.dtype), indices)


def _cpu(x: _Rows, first_rows, out: _Rows, element, compute_dtype: str) -> None:
    """Each thread decodes columns of an expert's matrix once, and runs over the expert's rows."""
    in_features, out_features = x.size, out.size
    tiles = -(-out_features // CPU_COLUMNS)
    with T.parallel(0, (int(first_rows.shape[0]) - 1) * tiles) as task:
        expert, column = T.bind(task // tiles), T.bind(task % tiles * CPU_COLUMNS)
        begin, end = T.bind(first_rows[expert]), T.bind(first_rows[expert + 1])
        weight = T.alloc_buffer([in_features, CPU_COLUMNS], compute_dtype)
        sums = T.alloc_buffer([CPU_ROWS, CPU_COLUMNS], "float32")
        with only_if(begin < end), T.serial(0, in_features) as k, T.vectorized(0, CPU_COLUMNS) as j:
            # Columns beyond the last are computed as it is, and not stored.
            row = tirx.min(column + j, out_features - 1)
            T.buffer_store(weight, element(expert, row, k), [k, j])
        with T.serial(0, (end - begin + CPU_ROWS - 1) // CPU_ROWS) as tile:
            rows = [T.bind(begin + tile * CPU_ROWS + r) for r in range(CPU_ROWS)]
            for r in range(CPU_ROWS):
                with T.vectorized(0, CPU_COLUMNS) as j:
                    T.buffer_store(sums, T.float32(0), [r, j])
            with T.serial(0, in_features) as k:
                for r, row in enumerate(rows):
                    left = x.load(tirx.min(row, end - 1), k).astype(compute_dtype)
                    with T.vectorized(0, CPU_COLUMNS) as j:
                        T.buffer_store(sums, sums[r, j] + left * weight[k, j], [r, j])
            for r, row in enumerate(rows):
                with T.serial(0, CPU_COLUMNS) as j, only_if(row < end, column + j < out_features):
                    out.store(sums[r, j], row, column + j)


def _gpu(x: _Rows, first_rows, block_ends, out: _Rows, element, compute_dtype: str) -> None:
    """Each thread decodes elements of `GPU_COLUMNS` columns and uses them for a block of rows."""
    in_features, out_features = x.size, out.size
    experts = int(block_ends.shape[0])
    depth = next(depth for depth in (GPU_DEPTH, 4, 2, 1) if in_features % depth == 0)
    # An expert's last block is the only one of it that may be smaller.
    blocks = x.tokens * x.chosen // GPU_ROWS + experts
    with (
        T.thread_binding(0, blocks, "blockIdx.y") as block,
        T.thread_binding(0, -(-out_features // (GPU_THREADS * GPU_COLUMNS)), "blockIdx.x") as tile,
        T.thread_binding(0, GPU_THREADS, "threadIdx.x") as thread,
    ):
        found = T.alloc_buffer([1], "int32", scope="local")
        weight = T.alloc_buffer([GPU_COLUMNS, depth], compute_dtype, scope="local")
        sums = T.alloc_buffer([GPU_ROWS, GPU_COLUMNS], "float32", scope="local")
        # The number of experts all of whose blocks come before this one, by bisection.
        T.buffer_store(found, T.int32(0), [0])
        for step in (1 << bit for bit in reversed(range(experts.bit_length()))):
            last = found[0] + (step - 1)
            with only_if(last < experts), only_if(block_ends[last] <= block):
                T.buffer_store(found, found[0] + step, [0])
        expert = T.bind(found[0])
        with only_if(expert < experts):
            before = tirx.if_then_else(expert > 0, block_ends[tirx.max(expert - 1, 0)], 0)
            base = T.bind(first_rows[expert] + (block.astype("int32") - before) * GPU_ROWS)
            end = T.bind(first_rows[expert + 1])
            columns = [(tile * GPU_COLUMNS + c) * GPU_THREADS + thread for c in range(GPU_COLUMNS)]
            with T.unroll(0, GPU_ROWS) as r, T.unroll(0, GPU_COLUMNS) as c:
                T.buffer_store(sums, T.float32(0), [r, c])
            with T.serial(0, in_features // depth) as step:
                for c, column in enumerate(columns):
                    with T.unroll(0, depth) as d:
                        # Columns beyond the last are computed as it is, and not stored.
                        row = tirx.min(column, out_features - 1)
                        T.buffer_store(weight, element(expert, row, step * depth + d), [c, d])
                with T.unroll(0, GPU_ROWS) as r, T.unroll(0, depth) as d:
                    value = x.load(tirx.min(base + r, end - 1), step * depth + d)
                    left = T.bind(value.astype(compute_dtype))
                    with T.unroll(0, GPU_COLUMNS) as c:
                        product = (left * weight[c, d]).astype("float32")
                        T.buffer_store(sums, sums[r, c] + product, [r, c])
            for c, column in enumerate(columns):
                with T.unroll(0, GPU_ROWS) as r, only_if(base + r < end, column < out_features):
                    out.store(sums[r, c], base + r, column)
