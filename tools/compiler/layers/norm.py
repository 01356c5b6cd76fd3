"""Normalisation layers. Their weights are never quantized."""

from __future__ import annotations

from tvm import te, topi
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

        def compute(*tensors: te.Tensor) -> te.Tensor:
            dtype = tensors[0].dtype
            if dtype == "bfloat16":
                # TVM's has no code for it.
                tensors = [topi.cast(tensor, "float32") for tensor in tensors]
            return topi.cast(topi.nn.layer_norm(*tensors, [1], self.epsilon), dtype)

        arguments = [x, self.weight, self.bias]
        return call_kernel(compute, "layer_norm", arguments, key=self.epsilon)
