"""Feed-forward layers."""

from __future__ import annotations

import math
from typing import Literal

from tvm import te, tirx
from tvm.relax.frontend import nn
from tvm.target import Target

from tools.compiler.layers.cpu_gate import MOST_LANES, cpu_silu_mul
from tools.compiler.layers.elementwise import cast
from tools.compiler.layers.kernel import OPAQUE, call_kernel
from tools.compiler.layers.linear import Linear
from tools.compiler.quantization.base import Quantization
from tools.compiler.quantization.vectors import lanes_of

Activation = Literal["gelu_tanh", "silu"]
"""The function of a gate; ``gelu_tanh`` is GELU's approximation by a hyperbolic tangent."""


class GatedMLP(nn.Module):
    """``down(activation(gate(x)) * up(x))``, with gate and up stored as one weight.

    Args:
        quantization: How the weights are stored.
        hidden_size: Length of a row of input and output.
        intermediate_size: Length of a row between the two products.
        activation: The gate's function.
        names: Attribute names of the two layers.
    """

    def __init__(
        self,
        quantization: Quantization,
        hidden_size: int,
        intermediate_size: int,
        activation: Activation = "silu",
        *,
        names: tuple[str, str] = ("gate_up_proj", "down_proj"),
    ) -> None:
        super().__init__()
        self.activation = activation
        self.names = names
        setattr(self, names[0], Linear(quantization, hidden_size, 2 * intermediate_size))
        setattr(self, names[1], Linear(quantization, intermediate_size, hidden_size))

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """``(tokens, hidden_size) -> (tokens, hidden_size)``."""
        gate_up, down = (getattr(self, name) for name in self.names)
        return down(gated(gate_up(x), self.activation))


class GeluMLP(nn.Module):
    """``down(gelu(up(x)))``.

    Args:
        quantization: How the weights are stored.
        hidden_size: Length of a row of input and output.
        intermediate_size: Length of a row between the two products.
        names: Attribute names of the two layers.
        tanh: Whether gelu is approximated by a tanh, as models that were trained so need it.
        bias: Whether the two layers have biases.
        product_dtype: dtype of the products and of the biases; the model's where None.
    """

    def __init__(
        self,
        quantization: Quantization,
        hidden_size: int,
        intermediate_size: int,
        *,
        names: tuple[str, str],
        tanh: bool,
        bias: bool = True,
        product_dtype: str | None = None,
    ) -> None:
        super().__init__()
        self.names = names
        self.tanh = tanh
        self.dtype = quantization.model_dtype
        options = {"bias": bias, "out_dtype": product_dtype}
        setattr(self, names[0], Linear(quantization, hidden_size, intermediate_size, **options))
        setattr(self, names[1], Linear(quantization, intermediate_size, hidden_size, **options))

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """``(tokens, hidden_size) -> (tokens, hidden_size)``."""
        up, down = (getattr(self, name) for name in self.names)
        return cast(down(up.gelu(x, tanh=self.tanh, out_dtype=self.dtype)), self.dtype)


def gated(gate_up: nn.Tensor, activation: Activation) -> nn.Tensor:
    """Returns ``activation(gate) * up``, of rows that are a gate and then an up of equal length."""
    size = gate_up.shape[-1]
    lanes = lanes_of(size // 2, MOST_LANES) if isinstance(size, int) else None
    is_cpu = Target.current().kind.name == "llvm"
    if is_cpu and activation == "silu" and lanes is not None and len(gate_up.shape) == 2:
        return call_kernel(
            lambda data: cpu_silu_mul(data, lanes),
            "silu_mul",
            [gate_up],
            op_pattern=OPAQUE,
            is_scheduled=True,
        )
    kernel = {"gelu_tanh": _gelu_tanh_mul, "silu": _silu_mul}[activation]
    return call_kernel(kernel, f"{activation}_mul", [gate_up])


def _silu_mul(gate_up: te.Tensor) -> te.Tensor:
    """``silu(gate) * up``, of rows that are a gate and then an up of equal length."""
    *rows, both = gate_up.shape
    size = both // 2

    def compute(*indices: tirx.Var) -> tirx.Expr:
        *row, column = indices
        gate, up = gate_up[(*row, column)], gate_up[(*row, column + size)]
        return gate * tirx.sigmoid(gate) * up

    return te.compute((*rows, size), compute, name="silu_mul")


def _gelu_tanh_mul(gate_up: te.Tensor) -> te.Tensor:
    """``gelu(gate) * up``, of rows that are a gate and then an up of equal length.

    ``x / 2 * (1 + tanh(y))`` is ``x * sigmoid(2 * y)``, which no device computes as infinity by
    infinity; the cube needs the range of float32.
    """
    tokens, both = gate_up.shape
    size = both // 2
    factor = 2 * math.sqrt(2 / math.pi)

    def compute(i: tirx.Var, j: tirx.Var) -> tirx.Expr:
        gate = gate_up[i, j].astype("float32")
        gelu = gate * tirx.sigmoid(factor * (gate + 0.044715 * gate * gate * gate))
        return (gelu * gate_up[i, j + size].astype("float32")).astype(gate_up.dtype)

    return te.compute((tokens, size), compute, name="gelu_tanh_mul")
