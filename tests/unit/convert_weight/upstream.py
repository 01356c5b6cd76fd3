"""Upstream's group quantization, expressed with TVM and compiled for the CPU."""

from __future__ import annotations

import numpy as np
import tvm
from tvm import relax, te, tirx

from tools.config import Quantization


def quantize(weight: np.ndarray, quantization: Quantization) -> tuple[np.ndarray, np.ndarray]:
    """Returns words and scales of a matrix of the model's dtype, in layout NK."""
    bits, size, dtype = quantization.bits, quantization.group_size, quantization.model_dtype
    per_word = 32 // bits

    def compute(weight: te.Tensor) -> tuple[te.Tensor, te.Tensor]:
        rows, columns = weight.shape
        largest = tirx.const(2 ** (bits - 1) - 1, dtype)
        groups = tirx.ceildiv(columns, size)
        g = te.reduce_axis((0, size), "g")
        peak = te.compute(
            (rows, groups),
            lambda i, j: te.max(
                tirx.if_then_else(
                    j * size + g < columns,
                    te.abs(weight[i, j * size + g]),
                    te.min_value(dtype),
                ),
                axis=g,
            ),
        )
        scale = te.compute((rows, groups), lambda i, j: peak[i, j] / largest)
        integer = te.compute(
            weight.shape,
            lambda i, j: tirx.min(
                tirx.max(
                    tirx.round(weight[i, j] / scale[i, j // size] + largest),
                    tirx.const(0, dtype),
                ),
                largest * 2,
            ).astype("uint32"),
        )
        e = te.reduce_axis((0, per_word), "e")
        words = te.compute(
            (rows, groups * (size // per_word)),
            lambda i, j: te.sum(
                tirx.if_then_else(
                    j * per_word + e < columns,
                    integer[i, j * per_word + e] << (e * bits),
                    tirx.const(0, "uint32"),
                ),
                axis=e,
            ),
        )
        return words, scale

    builder = relax.BlockBuilder()
    argument = relax.Var("weight", relax.TensorType(weight.shape, dtype))
    with builder.function("main", [argument]):
        with builder.dataflow():
            result = builder.emit_output(builder.emit_te(compute, argument))
        builder.emit_func_output(result)
    library = relax.build(relax.transform.LegalizeOps()(builder.finalize()), target="llvm")
    machine = relax.VirtualMachine(library, tvm.cpu())
    words, scales = machine["main"](tvm.runtime.tensor(weight))
    return words.numpy(), scales.numpy()
