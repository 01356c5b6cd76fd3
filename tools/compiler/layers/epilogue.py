"""What a CPU's product makes of a sum before it stores it; the sum itself is never in memory."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from tvm import tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812

# Of Abramowitz and Stegun, formula 7.1.26.
_ERF_ARGUMENT = 0.3275911
_ERF = (0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429)


@dataclasses.dataclass(frozen=True)
class Epilogue:
    """What follows a sum.

    Attributes:
        bias: Whether a bias, the last of the tensors that a kernel is given, is added.
        gelu: The GELU of that; the default is none.
    """

    bias: bool = False
    gelu: Literal["erf", "tanh"] | None = None

    def finish(self, total: tirx.Expr, stored: list[tirx.Buffer], column: tirx.Expr) -> tirx.Expr:
        """Returns what is stored for a sum.

        Args:
            total: The sum, a float32.
            stored: The kernel's tensors.
            column: Of the result, which is the bias's index.
        """
        if self.bias:
            total = total + stored[-1][column].astype("float32")
        if self.gelu is None:
            return total
        # A buffer, as TVM does not widen a bfloat16 that is bound to a variable.
        widened = T.alloc_buffer([1], "float32")
        T.buffer_store(widened, total, [0])
        return _gelu(widened[0], self.gelu)


NOTHING = Epilogue()
"""The sum is the result."""


def _gelu(x: tirx.Expr, kind: str) -> tirx.Expr:
    if kind == "tanh":
        # (1 + tanh(y)) / 2 is sigmoid(2 * y).
        return x * tirx.sigmoid(2 * math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x))
    return x * (0.5 + 0.5 * _erf(T.bind(x * T.float32(math.sqrt(0.5)))))


def _erf(x: tirx.Expr) -> tirx.Expr:
    """Returns the error function, with an error of 2e-7."""
    size = T.bind(tirx.abs(x))
    t = T.bind(1 / (1 + _ERF_ARGUMENT * size))
    series = T.float32(0)
    for factor in reversed(_ERF):
        series = (series + factor) * t
    share = T.bind(1 - series * tirx.exp(-size * size))
    return tirx.Select(x < 0, -share, share)
