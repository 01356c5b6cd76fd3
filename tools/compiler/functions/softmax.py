"""``softmax_with_temperature``: probabilities of the next token, for any vocabulary size.

The vocabulary is cut into chunks, so that a GPU reduces them in parallel: first the maximum and
the sum of exponentials of every chunk, then those of the row, then the probabilities.
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
            chunk_maxima = emit(kernels.chunk_max, flat)
            chunk_sums = emit(kernels.chunk_sum, flat, temperature, chunk_maxima)
            row_maxima = emit(kernels.row_max, chunk_maxima)
            shares = emit(kernels.share, temperature, chunk_maxima, chunk_sums, row_maxima)
            row_sums = emit(kernels.row_sum, shares)
            result = emit(kernels.probability, flat, temperature, row_maxima, row_sums)
            shape = (batch_size, 1, vocab_size)
            result = builder.emit_output(relax.op.reshape(result, shape))
        builder.emit_func_output(result)


class _Kernels:
    """The steps, as tensor expressions on logits ``(batch, vocabulary)``."""

    def __init__(self, active_vocab_size: int | None) -> None:
        self._active_vocab_size = active_vocab_size

    def chunk_max(self, logits: te.Tensor) -> te.Tensor:
        """Largest logit of each chunk."""
        k = te.reduce_axis((0, CHUNK_SIZE), "k")
        lowest = tirx.min_value("float32")

        def logit(b, token):
            return tirx.if_then_else(self._active(logits, token), logits[b, token], lowest)

        return te.compute(
            (logits.shape[0], _chunks(logits)),
            lambda b, c: te.max(logit(b, c * CHUNK_SIZE + k), axis=k),
            name="chunk_max",
        )

    def chunk_sum(
        self, logits: te.Tensor, temperature: te.Tensor, chunk_maxima: te.Tensor
    ) -> te.Tensor:
        """Sum of each chunk's exponentials, relative to its largest."""
        k = te.reduce_axis((0, CHUNK_SIZE), "k")

        def weight(b, c, token):
            return tirx.if_then_else(
                self._active(logits, token),
                _exp(logits[b, token], chunk_maxima[b, c], temperature[b]),
                tirx.const(0, "float32"),
            )

        return te.compute(
            (logits.shape[0], _chunks(logits)),
            lambda b, c: te.sum(weight(b, c, c * CHUNK_SIZE + k), axis=k),
            name="chunk_sum",
        )

    def row_max(self, chunk_maxima: te.Tensor) -> te.Tensor:
        """Largest logit of each row."""
        k = te.reduce_axis((0, chunk_maxima.shape[1]), "k")
        return te.compute(
            (chunk_maxima.shape[0],), lambda b: te.max(chunk_maxima[b, k], axis=k), name="row_max"
        )

    def share(
        self,
        temperature: te.Tensor,
        chunk_maxima: te.Tensor,
        chunk_sums: te.Tensor,
        row_maxima: te.Tensor,
    ) -> te.Tensor:
        """Sum of each chunk's exponentials, relative to the largest of the row."""
        return te.compute(
            chunk_sums.shape,
            lambda b, c: chunk_sums[b, c] * _exp(chunk_maxima[b, c], row_maxima[b], temperature[b]),
            name="share",
        )

    def row_sum(self, shares: te.Tensor) -> te.Tensor:
        """Sum of each row's exponentials."""
        k = te.reduce_axis((0, shares.shape[1]), "k")
        return te.compute(
            (shares.shape[0],), lambda b: te.sum(shares[b, k], axis=k), name="row_sum"
        )

    def probability(
        self,
        logits: te.Tensor,
        temperature: te.Tensor,
        row_maxima: te.Tensor,
        row_sums: te.Tensor,
    ) -> te.Tensor:
        """Exponential by sum."""
        return te.compute(
            logits.shape,
            lambda b, token: tirx.if_then_else(
                self._active(logits, token),
                _exp(logits[b, token], row_maxima[b], temperature[b]) / row_sums[b],
                tirx.const(0, "float32"),
            ),
            name="probability",
        )

    def _active(self, logits: te.Tensor, token: tirx.Expr) -> tirx.Expr:
        if self._active_vocab_size is None:
            return token < logits.shape[1]
        return tirx.all(token < logits.shape[1], token < self._active_vocab_size)


def _chunks(logits: te.Tensor) -> tirx.Expr:
    return tirx.floordiv(logits.shape[1] + (CHUNK_SIZE - 1), CHUNK_SIZE)


def _exp(logit: tirx.Expr, maximum: tirx.Expr, temperature: tirx.Expr) -> tirx.Expr:
    lowest = tirx.const(LOWEST_TEMPERATURE, "float32")
    return tirx.exp((logit - maximum) / tirx.max(temperature, lowest))
