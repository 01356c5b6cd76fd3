"""Which experts a token is sent to, and an order in which each expert has its rows together.

An assignment is a token's choice of an expert: ``chosen`` of them a token, the best first.
"""

from __future__ import annotations

import functools

from tvm import te, tirx
from tvm.relax.frontend import nn
from tvm.script import tirx as T  # noqa: N812

from tools.compiler.layers.kernel import call_kernel

CHUNK = 256
"""Assignments that are counted together, so that none has to be compared with all others."""


_largest = te.comm_reducer(
    lambda a, b: tirx.max(a, b), lambda dtype: tirx.const(0, dtype), name="largest"
)
"""Of no number 0: of `te.max` it is the least int32, which WGSL cannot write as a negated one."""


def best_experts(logits: nn.Tensor, chosen: int) -> nn.Tensor:
    """Returns the experts with the largest logits; of equal ones, the first.

    Args:
        logits: ``(tokens, experts) float32``.
        chosen: How many experts a token is sent to.

    Returns:
        ``(tokens, chosen) int32``, the best first.
    """

    def ranks(scores: te.Tensor) -> te.Tensor:
        other = te.reduce_axis((0, scores.shape[1]), "other")

        def is_better(t: tirx.Var, e: tirx.Var) -> tirx.Expr:
            equal_before = tirx.all(scores[t, other] == scores[t, e], other < e)
            return tirx.any(scores[t, other] > scores[t, e], equal_before)

        return te.compute(
            scores.shape,
            lambda t, e: te.sum(_where(is_better(t, e)), axis=other),
            name="route_ranks",
        )

    def select(rank: te.Tensor) -> te.Tensor:
        tokens, experts = rank.shape
        e = te.reduce_axis((0, experts), "e")
        # Not a sum: if logits are not numbers, ranks repeat, and no index may leave the experts.
        return te.compute(
            (tokens, chosen),
            lambda t, i: _largest(_where(rank[t, e] == i, e.astype("int32")), axis=e),
            name="route_experts",
        )

    return call_kernel(
        select, "route_experts", [call_kernel(ranks, "route_ranks", [logits])], key=chosen
    )


def expert_weights(logits: nn.Tensor, experts: nn.Tensor, *, renormalise: bool) -> nn.Tensor:
    """Returns the softmax of the logits, at the chosen experts.

    Args:
        logits: ``(tokens, experts) float32``.
        experts: ``(tokens, chosen) int32``, the best first.
        renormalise: Whether a token's weights are divided by their sum.

    Returns:
        ``(tokens, chosen) float32``.
    """

    def compute(scores: te.Tensor, best: te.Tensor) -> te.Tensor:
        e = te.reduce_axis((0, (best if renormalise else scores).shape[1]), "e")

        def power(t: tirx.Expr, expert: tirx.Expr) -> tirx.Expr:
            return tirx.exp(scores[t, expert] - scores[t, best[t, 0]])

        # Once for each choice: of a lone token it would be a loop of one, whose index stays 64-bit.
        total = te.compute(
            best.shape,
            lambda t, _: te.sum(power(t, best[t, e] if renormalise else e), axis=e),
            name="route_total",
        )
        return te.compute(
            best.shape, lambda t, i: power(t, best[t, i]) / total[t, i], name="route_weights"
        )

    return call_kernel(compute, "route_weights", [logits, experts], key=renormalise)


def sort_by_expert(experts: nn.Tensor, num_experts: int) -> tuple[nn.Tensor, nn.Tensor]:
    """Returns where each assignment goes when they are sorted by expert, those of one in order.

    Args:
        experts: ``(tokens, chosen) int32``.
        num_experts: Number of experts.

    Returns:
        ``rows (tokens, chosen) int32``: the row of each assignment; ``first_rows
        (num_experts + 1,) int32``: where each expert's rows begin, and where the last one's end.
    """

    def first_rows(chosen: te.Tensor) -> te.Tensor:
        counts = _counts(chosen, num_experts)
        c = te.reduce_axis((0, counts.shape[0]), "c")
        e = te.reduce_axis((0, num_experts), "e")
        return te.compute(
            (num_experts + 1,),
            lambda expert: te.sum(_where(e < expert, counts[c, e]), axis=[c, e]),
            name="route_first_rows",
        )

    def rows(chosen: te.Tensor, first: te.Tensor) -> te.Tensor:
        counts = _counts(chosen, num_experts)
        c = te.reduce_axis((0, counts.shape[0]), "c")
        i = te.reduce_axis((0, CHUNK), "i")

        def in_chunks_before(t: tirx.Var, j: tirx.Var) -> tirx.Expr:
            before = c < _number(chosen, t, j) // CHUNK
            return te.sum(_where(before, counts[c, chosen[t, j]]), axis=c)

        def in_chunk_before(t: tirx.Var, j: tirx.Var) -> tirx.Expr:
            number = _number(chosen, t, j)
            other = number // CHUNK * CHUNK + i
            same = _expert_of(chosen, tirx.min(other, number)) == chosen[t, j]
            return te.sum(_where(tirx.all(other < number, same)), axis=i)

        far = te.compute(chosen.shape, in_chunks_before, name="route_far")
        near = te.compute(chosen.shape, in_chunk_before, name="route_near")
        return te.compute(
            chosen.shape,
            lambda t, j: first[chosen[t, j]] + far[t, j] + near[t, j],
            name="route_rows",
        )

    first = call_kernel(first_rows, "route_first_rows", [experts], key=num_experts)
    return call_kernel(rows, "route_rows", [experts, first], key=num_experts), first


def _counts(chosen: te.Tensor, num_experts: int) -> te.Tensor:
    """Returns how many assignments of each chunk each expert has: ``(chunks, num_experts)``."""
    assignments = chosen.shape[0] * chosen.shape[1]
    i = te.reduce_axis((0, CHUNK), "i")

    def count(chunk: tirx.Var, expert: tirx.Var) -> tirx.Expr:
        number = chunk * CHUNK + i
        same = _expert_of(chosen, tirx.min(number, assignments - 1)) == expert
        return te.sum(_where(tirx.all(number < assignments, same)), axis=i)

    chunks = tirx.floordiv(assignments + (CHUNK - 1), CHUNK)
    return te.compute((chunks, num_experts), count, name="route_counts")


def _where(condition: tirx.Expr, number: tirx.Expr | int = 1) -> tirx.Expr:
    """Returns the number, or 0; a cast of the condition would keep its indices 64-bit."""
    number = tirx.const(number, "int32") if isinstance(number, int) else number
    return tirx.Select(condition, number, tirx.const(0, "int32"))


def _number(chosen: te.Tensor, token: tirx.Var, choice: tirx.Var) -> tirx.Expr:
    return token * chosen.shape[1] + choice


def _expert_of(chosen: te.Tensor, number: tirx.Expr) -> tirx.Expr:
    return chosen[number // chosen.shape[1], number % chosen.shape[1]]


def send(x: nn.Tensor, rows: nn.Tensor) -> nn.Tensor:
    """Returns a row for each assignment of each token, in the order of `sort_by_expert`.

    Args:
        x: ``(tokens, size)``.
        rows: ``(tokens, chosen) int32``.

    Returns:
        ``(tokens, chosen, size)``, whose first two axes are one: the row.
    """
    (tokens, size), chosen = x.shape, int(rows.shape[1])
    out = nn.Tensor.placeholder((tokens, chosen, size), x.dtype)
    return nn.op.tensor_ir_op(_scatter(chosen, int(size), str(x.dtype)), "send", [x, rows], out)


@functools.cache
def _scatter(chosen: int, size: int, dtype: str) -> tirx.PrimFunc:
    @T.prim_func(private=True, s_tir=True)
    def scatter(x_handle: T.handle, rows_handle: T.handle, out_handle: T.handle):
        T.func_attr({"tirx.noalias": True})
        tokens = T.int64()
        x = T.match_buffer(x_handle, (tokens, size), dtype)
        rows = T.match_buffer(rows_handle, (tokens, chosen), "int32")
        out = T.match_buffer(out_handle, (tokens, chosen, size), dtype)
        for t, i, j in T.grid(tokens, chosen, size):
            with T.sblock("send"):
                vt, vi, vj = T.axis.remap("SSS", [t, i, j])
                out[rows[vt, vi] // chosen, rows[vt, vi] % chosen, vj] = x[vt, vj]

    return scatter


def combine(x: nn.Tensor, weights: nn.Tensor, rows: nn.Tensor | None) -> nn.Tensor:
    """Returns the weighted sum of each token's assignments.

    Args:
        x: ``(tokens, chosen, size)``, whose first two axes are one: the row.
        weights: ``(tokens, chosen) float32``.
        rows: ``(tokens, chosen) int32``: each assignment's row; None where they are in order.

    Returns:
        ``(tokens, size)`` of the dtype of `x`.
    """

    def compute(states: te.Tensor, weight: te.Tensor, *places: te.Tensor) -> te.Tensor:
        tokens, chosen = weight.shape

        def term(t: tirx.Var, j: tirx.Var, i: int) -> tirx.Expr:
            row, column = t, i
            if places:
                row, column = places[0][t, i] // chosen, places[0][t, i] % chosen
            return states[row, column, j].astype("float32") * weight[t, i]

        return te.compute(
            (tokens, states.shape[2]),
            lambda t, j: sum(term(t, j, i) for i in range(int(chosen))).astype(states.dtype),
            name="route_combine",
        )

    return call_kernel(compute, "route_combine", [x, weights, *([] if rows is None else [rows])])
