"""Functions that sample on the device: where the target can sort, the probabilities stay there.

``probs`` is float32 ``(batch_size, vocab_size)``. A *sample* is an entry of the arrays of length
``num_samples``: a number from [0, 1) and the row of ``probs`` that is sampled with it.
"""

from __future__ import annotations

import tvm
from tvm import relax, te, tirx
from tvm.script import tirx as T  # noqa: N812
from tvm.target import Target

from tools.compiler.functions.running_sums import running_sums
from tools.compiler.functions.sorted_order import sorted_order
from tools.compiler.functions.threads import ThreadLoops, thread_loops
from tools.compiler.functions.top_p import add_renormalize_by_top_p
from tools.compiler.functions.verify import add_verify_draft_tokens

SORTING = ("argsort_probs", "sample_with_top_p")
ALL = (
    *SORTING,
    "multinomial_from_uniform",
    "renormalize_by_top_p",
    "sampler_take_probs",
    "sampler_verify_draft_tokens",
)
"""The functions, by the names under which MLC LLM's runtime looks for them."""

SAMPLERS_OF_TARGET = {"cuda": ALL, "metal": ALL, "webgpu": SORTING}
"""Kind of target to the functions that upstream gives it."""


def add_samplers(builder: relax.BlockBuilder, target: Target, names: tuple[str, ...]) -> None:
    """Adds functions to a library.

    Args:
        builder: Where the functions and kernels go.
        target: Where they run.
        names: Which of `ALL`.
    """
    if not names:
        return
    loops = thread_loops(target)
    search = builder.add_func(_search(loops).with_attr("tirx.is_scheduled", True), "search_sums")
    sums = builder.add_func(running_sums(loops), "running_sums")
    add = {
        "argsort_probs": lambda: _argsort_probs(builder, loops),
        "multinomial_from_uniform": lambda: _multinomial_from_uniform(builder, sums, search),
        "renormalize_by_top_p": lambda: add_renormalize_by_top_p(builder),
        "sample_with_top_p": lambda: _sample_with_top_p(builder, sums, search),
        "sampler_take_probs": lambda: _sampler_take_probs(builder),
        "sampler_verify_draft_tokens": lambda: add_verify_draft_tokens(builder, loops),
    }
    for name in names:
        add[name]()


def _argsort_probs(builder: relax.BlockBuilder, loops: ThreadLoops) -> None:
    """``(probs) -> (sorted_probs, sorted_indices)``, the greatest first."""
    batch_size, vocab_size = _sizes("batch_size", "vocab_size")
    probs = _var("probs", (batch_size, vocab_size), "float32")
    sort = builder.add_func(sorted_order(loops), "sorted_order")

    def take(p, orders):
        indices = te.compute(p.shape, lambda i, j: orders[0, i, j], name="indices")
        return [te.compute(p.shape, lambda i, j: p[i, orders[0, i, j]], name="sorted"), indices]

    with builder.function("argsort_probs", [probs]):
        with builder.dataflow():
            shape = relax.TensorType((2, batch_size, vocab_size), "int32")
            orders = builder.emit(relax.call_tir(sort, [probs], shape))
            result = builder.emit_output(
                builder.call_te(take, probs, orders, primfunc_name_hint="take_sorted")
            )
        builder.emit_func_output(result)


def _multinomial_from_uniform(
    builder: relax.BlockBuilder, add_up: tvm.ir.GlobalVar, search: tvm.ir.GlobalVar
) -> None:
    """``(probs, uniform_samples, sample_indices) -> token ids``."""
    batch_size, num_samples, vocab_size = _sizes("batch_size", "num_samples", "vocab_size")
    probs = _var("probs", (batch_size, vocab_size), "float32")
    uniform, rows = _sample_vars(num_samples)

    def totals(sums, row):
        return te.compute(row.shape, lambda i: sums[row[i], sums.shape[1] - 1], name="totals")

    with builder.function("multinomial_from_uniform", [probs, uniform, rows]):
        with builder.dataflow():
            sums = builder.emit(relax.call_tir(add_up, [probs], probs.ty))
            limit = builder.emit_te(totals, sums, rows, primfunc_name_hint="sample_totals")
            call = relax.call_tir(search, [sums, uniform, limit, rows], rows.ty)
            result = builder.emit_output(call)
        builder.emit_func_output(result)


def _sample_with_top_p(
    builder: relax.BlockBuilder, add_up: tvm.ir.GlobalVar, search: tvm.ir.GlobalVar
) -> None:
    """``(sorted_probs, sorted_indices, uniform_samples, sample_indices, top_p) -> token ids``.

    ``top_p`` is float32 ``(batch_size,)``. Of a row the fewest of the greatest probabilities that
    amount to it are kept.
    """
    batch_size, num_samples, vocab_size = _sizes("batch_size", "num_samples", "vocab_size")
    probs = _var("sorted_probs", (batch_size, vocab_size), "float32")
    indices = _var("sorted_indices", (batch_size, vocab_size), "int32")
    uniform, rows = _sample_vars(num_samples)
    top_p = _var("top_p", (batch_size,), "float32")

    def bounds(share, row):
        return te.compute(row.shape, lambda i: share[row[i]], name="sample_top_p")

    def totals(sums, row, last):
        return te.compute(row.shape, lambda i: sums[row[i], last[i]], name="totals")

    def shares(sample, total):
        return te.compute(sample.shape, lambda i: sample[i] * total[i], name="shares")

    def tokens(order, row, position):
        return te.compute(row.shape, lambda i: order[row[i], position[i]], name="tokens")

    def emit(kernel, *arguments):
        return builder.emit_te(kernel, *arguments, primfunc_name_hint=f"sample_{kernel.__name__}")

    with builder.function("sample_with_top_p", [probs, indices, uniform, rows, top_p]):
        with builder.dataflow():
            sums = builder.emit(relax.call_tir(add_up, [probs], probs.ty))
            bound = emit(bounds, top_p, rows)
            last = builder.emit(relax.call_tir(search, [sums, bound, bound, rows], rows.ty))
            total = emit(totals, sums, rows, last)
            bound = emit(shares, uniform, total)
            position = builder.emit(relax.call_tir(search, [sums, bound, total, rows], rows.ty))
            result = builder.emit_output(builder.call_te(tokens, indices, rows, position))
        builder.emit_func_output(result)


def _sampler_take_probs(builder: relax.BlockBuilder) -> None:
    """Looks up the probabilities of sampled tokens, and of the likeliest ones.

    ``(unsorted_probs, sorted_indices, sample_indices, sampling_result, top_prob_offsets)
    -> (sampled_values, top_prob_probs, top_prob_indices)``; an offset is that of an element of
    ``sorted_indices``, row by row.
    """
    batch_size, vocab_size = _sizes("batch_size", "vocab_size")
    num_samples, num_positions = _sizes("num_samples", "num_positions")
    arguments = [
        _var("unsorted_probs", (batch_size, vocab_size), "float32"),
        _var("sorted_indices", (batch_size, vocab_size), "int32"),
        _var("sample_indices", (num_samples,), "int32"),
        _var("sampling_result", (num_samples,), "int32"),
        _var("top_prob_offsets", (num_positions,), "int32"),
    ]

    def take(probs, order, rows, tokens, offsets):
        width = tirx.Cast("int32", order.shape[1])

        def token(i):
            return order[tirx.floordiv(offsets[i], width), tirx.floormod(offsets[i], width)]

        return [
            te.compute(rows.shape, lambda i: probs[rows[i], tokens[i]], name="sampled_values"),
            te.compute(
                offsets.shape,
                lambda i: probs[tirx.floordiv(offsets[i], width), token(i)],
                name="top_prob_probs",
            ),
            te.compute(offsets.shape, token, name="top_prob_indices"),
        ]

    with builder.function("sampler_take_probs", arguments):
        with builder.dataflow():
            taken = builder.emit_te(take, *arguments, primfunc_name_hint="take_probs")
            result = builder.emit_output(taken)
        builder.emit_func_output(result)


def _search(loops: ThreadLoops) -> tirx.PrimFunc:
    """``(sums, bound, limit, rows) -> positions``, of each sample the first that passes.

    ``sums`` is float32 ``(batch_size, vocab_size)`` and does not fall along a row. A sum passes if
    it is greater than the sample's ``bound`` or reaches its ``limit``; a row's last always does.
    """

    @T.prim_func(private=True, s_tir=True)
    def search(
        sums_handle: T.handle,
        bound_handle: T.handle,
        limit_handle: T.handle,
        rows_handle: T.handle,
        result_handle: T.handle,
    ):
        T.func_attr({"tirx.noalias": True})
        batch_size, vocab_size, num_samples = T.int64(), T.int64(), T.int64()
        sums = T.match_buffer(sums_handle, (batch_size, vocab_size), "float32")
        bound = T.match_buffer(bound_handle, (num_samples,), "float32")
        limit = T.match_buffer(limit_handle, (num_samples,), "float32")
        rows = T.match_buffer(rows_handle, (num_samples,), "int32")
        result = T.match_buffer(result_handle, (num_samples,), "int32")
        for block in loops.blocks((num_samples + (loops.count - 1)) // loops.count):
            for thread in loops.threads(loops.count):
                with T.sblock("search"):
                    v = T.axis.spatial(num_samples, block * loops.count + thread)
                    T.where(block * loops.count + thread < num_samples)
                    low = T.sblock_alloc_buffer((1,), "int32", scope="local")
                    high = T.sblock_alloc_buffer((1,), "int32", scope="local")
                    middle = T.sblock_alloc_buffer((1,), "int32", scope="local")
                    low[0] = 0
                    high[0] = T.Cast("int32", vocab_size - 1)
                    while low[0] < high[0]:
                        middle[0] = (low[0] + high[0]) // 2
                        if (
                            sums[rows[v], middle[0]] > bound[v]
                            or sums[rows[v], middle[0]] >= limit[v]
                        ):
                            high[0] = middle[0]
                        else:
                            low[0] = middle[0] + 1
                    result[v] = low[0]

    return search


def _sizes(*names: str) -> list[tirx.Var]:
    return [tirx.Var(name, "int64") for name in names]


def _var(name: str, shape: tuple, dtype: str) -> relax.Var:
    return relax.Var(name, relax.TensorType(shape, dtype))


def _sample_vars(num_samples: tirx.Var) -> list[relax.Var]:
    return [
        _var("uniform_samples", (num_samples,), "float32"),
        _var("sample_indices", (num_samples,), "int32"),
    ]
