"""Element-wise kernels, which fuse into the matrix product before them."""

from __future__ import annotations

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
