"""Changes of shape, which cost nothing when the library runs, and selections of rows."""

from __future__ import annotations

from tvm import relax, te
from tvm.relax.frontend import nn

from tools.compiler.layers.kernel import call_kernel


def reshape(x: nn.Tensor, *shape) -> nn.Tensor:
    """Returns ``x`` in another shape, as a view.

    Args:
        x: Any tensor.
        shape: Sizes, all given.
    """
    builder = relax.BlockBuilder.current()
    return nn.Tensor(_expr=builder.emit(relax.op.reshape(x._expr, shape), name_hint="reshape"))


def take_rows(x: nn.Tensor, rows: nn.Tensor) -> nn.Tensor:
    """Returns ``x[rows]``: ``(n, size)`` and ``(m,) int32`` to ``(m, size)``."""

    def take(source: te.Tensor, indices: te.Tensor) -> te.Tensor:
        return te.compute(
            (indices.shape[0], source.shape[1]),
            lambda i, j: source[indices[i], j],
            name="take_rows",
        )

    return call_kernel(take, "take_rows", [x, rows])


def last_row(x: nn.Tensor) -> nn.Tensor:
    """Returns ``x[-1:]``: ``(n, size)`` to ``(1, size)``."""

    def last(source: te.Tensor) -> te.Tensor:
        rows, size = source.shape
        return te.compute((1, size), lambda _, j: source[rows - 1, j], name="last_row")

    return call_kernel(last, "last_row", [x])
