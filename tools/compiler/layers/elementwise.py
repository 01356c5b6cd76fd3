"""Element-wise kernels, which fuse into the matrix product before them."""

from __future__ import annotations

import math

from tvm import te, tirx, topi
from tvm.relax.frontend import nn

from tools.compiler.layers.kernel import call_kernel


def add(a: nn.Tensor, b: nn.Tensor) -> nn.Tensor:
    """Returns ``a + b``; the shapes are equal, or broadcast as numpy does."""
    return call_kernel(topi.add, "add", [a, b])


def scale(x: nn.Tensor, factor: float) -> nn.Tensor:
    """Returns ``x * factor``, the factor being rounded to the dtype of ``x``."""

    def compute(data: te.Tensor) -> te.Tensor:
        return topi.multiply(data, tirx.const(factor, data.dtype))

    return call_kernel(compute, "scale", [x], key=factor)


def cast(x: nn.Tensor, dtype: str) -> nn.Tensor:
    """Returns ``x`` in `dtype`, itself where it has that dtype."""
    if x.dtype == dtype:
        return x
    return call_kernel(lambda data: topi.cast(data, dtype), "cast", [x], key=dtype)


def softcap(x: nn.Tensor, cap: float) -> nn.Tensor:
    """Returns ``cap * tanh(x / cap)``, of float32.

    ``tanh(y)`` is ``1 - 2 / (1 + exp(2 * y))``, which is right for all numbers on all devices.
    """

    def compute(data: te.Tensor) -> te.Tensor:
        return te.compute(
            data.shape,
            lambda i, j: cap - 2 * cap / (1 + tirx.exp(data[i, j] * (2 / cap))),
            name="softcap",
        )

    return call_kernel(compute, "softcap", [x], key=cap)


def gelu(x: nn.Tensor, *, tanh: bool, out_dtype: str) -> nn.Tensor:
    """Returns ``x * P(X <= x)`` of a standard normal X, computed in float32.

    Args:
        x: ``(rows, columns)``.
        tanh: Whether the probability is approximated by a tanh, else it is that of an error
            function. That one is a polynomial: not every device has the function.
        out_dtype: dtype of the result.
    """

    def compute(data: te.Tensor) -> te.Tensor:
        wide = topi.cast(data, "float32")
        if tanh:
            inner = te.compute(
                wide.shape,
                lambda i, j: (
                    (wide[i, j] + 0.044715 * wide[i, j] * wide[i, j] * wide[i, j])
                    * math.sqrt(2 / math.pi)
                ),
                name="inner",
            )
            share = te.compute(wide.shape, lambda i, j: tirx.tanh(inner[i, j]), name="tanh")
        else:
            scaled = te.compute(wide.shape, lambda i, j: wide[i, j] * math.sqrt(0.5), name="scaled")
            share = topi.fast_erf(scaled)
        return te.compute(
            wide.shape,
            lambda i, j: (0.5 * wide[i, j] * (1 + share[i, j])).astype(out_dtype),
            name="gelu",
        )

    return call_kernel(compute, "gelu_tanh" if tanh else "gelu", [x], key=out_dtype)
