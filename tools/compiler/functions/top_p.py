"""``renormalize_by_top_p``: keeps the fewest of the greatest probabilities that amount to top_p.

The least probability that is kept is searched for: the range in which it lies is cut into parts,
and the probabilities from each cut on are summed. Each step is a reduction of the form that TVM
schedules with all threads of a block, and a small kernel that picks the part.
"""

from __future__ import annotations

from tvm import relax, te, tirx

PARTS = 16
"""Into how many parts a step cuts the range."""

STEPS = 8
"""After these the range is 2 * 16 ** -8 wide: less than the distance of two float32 near 0.01."""


def add_renormalize_by_top_p(builder: relax.BlockBuilder) -> None:
    """Adds ``renormalize_by_top_p(probs, top_p, init_pivots) -> probs``.

    ``probs`` is float32 ``(batch_size, vocab_size)``, ``top_p`` float32 ``(batch_size,)``.
    Probabilities that are not kept become 0, and the others are divided by their sum; equal ones
    are kept together. ``init_pivots``, float32 ``(batch_size, 3)``, are MLC LLM's guesses of the
    result; this search has no use for them.

    Args:
        builder: Where the function and its kernels go.
    """
    batch_size = tirx.Var("batch_size", "int64")
    vocab_size = tirx.Var("vocab_size", "int64")
    probs = relax.Var("probs", relax.TensorType((batch_size, vocab_size), "float32"))
    top_p = relax.Var("top_p", relax.TensorType((batch_size,), "float32"))
    pivots = relax.Var("init_pivots", relax.TensorType((batch_size, 3), "float32"))

    def emit(kernel, *arguments):
        return builder.emit_te(kernel, *arguments, primfunc_name_hint=f"top_p{kernel.__name__}")

    with builder.function("renormalize_by_top_p", [probs, top_p, pivots]):
        with builder.dataflow():
            low, width = emit(_whole, top_p)
            for _ in range(STEPS):
                sums = emit(_sums, probs, low, width)
                low, width = emit(_narrow, low, width, sums, top_p)
            sums = emit(_sums, probs, low, width)
            result = builder.emit_output(builder.call_te(_renormalize, probs, low, sums))
        builder.emit_func_output(result)


def _whole(top_p: te.Tensor) -> list[te.Tensor]:
    """``(batch,)`` twice: least of the range, and its width; it has all probabilities.

    Those from the least on amount to top_p, those beyond the range do not.
    """
    return [
        te.compute(top_p.shape, lambda b: _float(0), name="low"),
        te.compute(top_p.shape, lambda b: _float(2), name="width"),
    ]


def _sums(probs: te.Tensor, low: te.Tensor, width: te.Tensor) -> te.Tensor:
    """``(batch, PARTS)``: the sum of the probabilities from each cut on."""
    token = te.reduce_axis((0, probs.shape[1]), "token")

    def counted(b, part):
        is_counted = probs[b, token] >= _cut(low[b], width[b], part)
        return tirx.if_then_else(is_counted, probs[b, token], _float(0))

    return te.compute(
        (probs.shape[0], PARTS),
        lambda b, part: te.sum(counted(b, part), axis=token),
        name="sums",
    )


def _narrow(low: te.Tensor, width: te.Tensor, sums: te.Tensor, top_p: te.Tensor) -> list[te.Tensor]:
    """The part between the last cut whose sum amounts to top_p and the next."""

    def amounts(b, part):
        enough = tirx.all(sums[b, part] >= top_p[b], sums[b, part] > 0)
        return tirx.if_then_else(enough, _float(1), _float(0))

    def cut(b):
        # Sums fall from cut to cut, so the last one that is enough is as many as are.
        last = sum((amounts(b, part) for part in range(1, PARTS)), start=_float(0))
        return _cut(low[b], width[b], last)

    return [
        te.compute(low.shape, cut, name="low"),
        te.compute(low.shape, lambda b: width[b] / _float(PARTS), name="width"),
    ]


def _renormalize(probs: te.Tensor, low: te.Tensor, sums: te.Tensor) -> te.Tensor:
    """``(batch, vocabulary)``."""
    return te.compute(
        probs.shape,
        lambda b, token: tirx.if_then_else(
            probs[b, token] >= low[b], probs[b, token] / sums[b, 0], _float(0)
        ),
        name="renormalized",
    )


def _cut(low: tirx.Expr, width: tirx.Expr, part: tirx.Expr) -> tirx.Expr:
    return low + width * (tirx.Cast("float32", part) / _float(PARTS))


def _float(value: float) -> tirx.Expr:
    return tirx.const(value, "float32")
