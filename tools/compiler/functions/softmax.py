"""``softmax_with_temperature``: probabilities of the next token, for any vocabulary size.

The vocabulary is cut into chunks, so that a GPU reduces them in parallel: first the largest logit
and the sum of exponentials of every chunk, then those of the row, then the probabilities.

Each reduction is a kernel of the form that TVM schedules with all threads of a block: the
reductions, and then one element-wise stage that writes their results.
"""

from __future__ import annotations

from tvm import relax, te, tirx

from tools.compiler.layers.kernel import OPAQUE

CHUNK_SIZE = 4096
"""Tokens in a chunk; upstream's number: enough chunks for a GPU, few enough to be merged by one."""

LOWEST_TEMPERATURE = 1e-10
"""Lower temperatures count as this one, which stands for 0: the quotient of two different float32
logits and it differ by far more than 100, whose exponential is 0. Equal ones share."""


def add_softmax_with_temperature(
    builder: relax.BlockBuilder, active_vocab_size: int | None
) -> None:
    """Adds ``softmax_with_temperature(logits, temperature) -> probabilities``.

    logits and probabilities are float32 ``(batch_size, 1, vocab_size)``, temperature is float32
    ``(batch_size,)``. Temperature 0 gives the most likely token all of the probability.

    Args:
        builder: Where the function and its kernels go.
        active_vocab_size: Tokens from this one on get probability 0; None where all count.
    """
    batch_size = tirx.Var("batch_size", "int64")
    vocab_size = tirx.Var("vocab_size", "int64")
    logits = relax.Var("logits", relax.TensorType([batch_size, 1, vocab_size], "float32"))
    temperature = relax.Var("temperature", relax.TensorType([batch_size], "float32"))
    kernels = _Kernels(active_vocab_size)

    def emit(kernel, *arguments):
        return builder.emit_te(
            kernel,
            *arguments,
            primfunc_name_hint=f"softmax_{kernel.__name__}",
            primfunc_attrs={"op_pattern": OPAQUE},
        )

    with builder.function("softmax_with_temperature", [logits, temperature]):
        with builder.dataflow():
            flat = builder.emit(relax.op.reshape(logits, (batch_size, vocab_size)))
            chunks = emit(kernels.chunks, flat, temperature)
            rows = emit(kernels.rows, chunks, temperature)
            result = emit(kernels.probabilities, flat, temperature, rows)
            shape = (batch_size, 1, vocab_size)
            result = builder.emit_output(relax.op.reshape(result, shape))
        builder.emit_func_output(result)


class _Kernels:
    """The steps, as tensor expressions on logits ``(batch, vocabulary)``."""

    def __init__(self, active_vocab_size: int | None) -> None:
        self._active_vocab_size = active_vocab_size

    def chunks(self, logits: te.Tensor, temperature: te.Tensor) -> te.Tensor:
        """``(batch, chunk, 2)``: largest logit, sum of exponentials relative to that."""
        shape = (logits.shape[0], tirx.floordiv(logits.shape[1] + (CHUNK_SIZE - 1), CHUNK_SIZE))
        lowest = tirx.min_value("float32")
        k = te.reduce_axis((0, CHUNK_SIZE), "k")

        def logit(b, token):
            return tirx.if_then_else(self._active(logits, token), logits[b, token], lowest)

        maxima = te.compute(
            shape, lambda b, c: te.max(logit(b, c * CHUNK_SIZE + k), axis=k), name="chunk_max"
        )
        j = te.reduce_axis((0, CHUNK_SIZE), "j")

        def weight(b, c, token):
            return tirx.if_then_else(
                self._active(logits, token),
                _exp(logits[b, token], maxima[b, c], temperature[b]),
                tirx.const(0, "float32"),
            )

        sums = te.compute(
            shape,
            lambda b, c: te.sum(weight(b, c, c * CHUNK_SIZE + j), axis=j),
            name="chunk_sum",
        )
        return te.compute(
            (*shape, 2),
            lambda b, c, i: tirx.if_then_else(i == 0, maxima[b, c], sums[b, c]),
            name="chunks",
        )

    def rows(self, chunks: te.Tensor, temperature: te.Tensor) -> te.Tensor:
        """``(batch, 2)``: the same of each row."""
        batch_size, num_chunks, _ = chunks.shape
        k = te.reduce_axis((0, num_chunks), "k")
        maxima = te.compute(
            (batch_size,), lambda b: te.max(chunks[b, k, 0], axis=k), name="row_max"
        )
        j = te.reduce_axis((0, num_chunks), "j")
        sums = te.compute(
            (batch_size,),
            lambda b: te.sum(
                chunks[b, j, 1] * _exp(chunks[b, j, 0], maxima[b], temperature[b]), axis=j
            ),
            name="row_sum",
        )
        return te.compute(
            (batch_size, 2),
            lambda b, i: tirx.if_then_else(i == 0, maxima[b], sums[b]),
            name="rows",
        )

    def probabilities(
        self, logits: te.Tensor, temperature: te.Tensor, rows: te.Tensor
    ) -> te.Tensor:
        """``(batch, vocabulary)``: exponential by sum."""
        return te.compute(
            logits.shape,
            lambda b, token: tirx.if_then_else(
                self._active(logits, token),
                _exp(logits[b, token], rows[b, 0], temperature[b]) / rows[b, 1],
                tirx.const(0, "float32"),
            ),
            name="probabilities",
        )

    def _active(self, logits: te.Tensor, token: tirx.Expr) -> tirx.Expr:
        if self._active_vocab_size is None:
            return token < logits.shape[1]
        return tirx.all(token < logits.shape[1], token < self._active_vocab_size)


def _exp(logit: tirx.Expr, maximum: tirx.Expr, temperature: tirx.Expr) -> tirx.Expr:
    lowest = tirx.const(LOWEST_TEMPERATURE, "float32")
    return tirx.exp((logit - maximum) / tirx.max(temperature, lowest))
