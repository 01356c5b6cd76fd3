"""q0f16, q0f32: a weight is one tensor, stored as it is."""

from __future__ import annotations

from tvm.relax.frontend import nn

from tools.compiler.quantization.base import Quantization
from tools.compiler.quantization.vectors import PlainVectors, lanes_of


class NoQuantization(Quantization):
    """``weight``: ``(rows, columns)`` of the model's dtype."""

    decodes = False

    def parameters(self, rows, columns):
        return {"weight": nn.Parameter((rows, columns), self.model_dtype)}

    def row_vectors(self, columns, most_lanes):
        lanes = lanes_of(columns, most_lanes)
        return None if lanes is None else PlainVectors(columns, lanes)

    def element(self, stored, row, column):
        return stored[0][row, column].astype(self.compute_dtype)
