"""Normalisation layers. Their weights are never quantized."""

from __future__ import annotations

from tvm import topi
from tvm.relax.frontend import nn

from tools.compiler.layers.kernel import call_kernel


class RMSNorm(nn.Module):
    """``x / sqrt(mean(x ** 2) + epsilon) * weight`` over each row, computed in float32.

    Args:
        size: Length of a row, and of the parameter ``weight``.
        epsilon: Added to the mean square.
        dtype: dtype of the weight, the input and the output.
    """

    def __init__(self, size: int, epsilon: float, dtype: str) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter((size,), dtype)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """``(tokens, size) -> (tokens, size)``."""
        return call_kernel(
            lambda data, weight: topi.nn.rms_norm(data, weight, [1], self.epsilon),
            "rms_norm",
            [x, self.weight],
            key=self.epsilon,
        )


class LayerNorm(nn.Module):
    """``(x - mean(x)) / sqrt(variance(x) + epsilon) * weight + bias`` over each row, in float32.

    Args:
        size: Length of a row, and of the parameters ``weight`` and ``bias``.
        epsilon: Added to the variance.
        dtype: dtype of the parameters, the input and the output.
    """

    def __init__(self, size: int, epsilon: float, dtype: str) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter((size,), dtype)
        self.bias = nn.Parameter((size,), dtype)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """``(tokens, size) -> (tokens, size)``."""
        return call_kernel(
            lambda data, weight, bias: topi.nn.layer_norm(data, weight, bias, [1], self.epsilon),
            "layer_norm",
            [x, self.weight, self.bias],
            key=self.epsilon,
        )
