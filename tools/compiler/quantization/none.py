"""q0f16, q0f32: a weight is one tensor, stored as it is."""

from __future__ import annotations

from tvm.relax.frontend import nn

from tools.compiler.quantization.base import Quantization


class NoQuantization(Quantization):
    """``weight``: ``(rows, columns)`` of the model's dtype."""

    decodes = False

    def parameters(self, rows, columns):
        return {"weight": nn.Parameter((rows, columns), self.model_dtype)}

    def element(self, stored, row, column):
        return stored[0][row, column].astype(self.compute_dtype)
