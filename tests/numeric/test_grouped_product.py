"""The loops of a GPU's products with experts, run by one thread after another on the CPU."""

from __future__ import annotations

import numpy as np
import pytest
import tvm
import tvm_ffi
from tvm import te, tirx

from tests.numeric.weights import quantized
from tools import config
from tools.compiler.layers.experts import Experts
from tools.compiler.layers.grouped_product import block_ends, grouped_product
from tools.compiler.quantization import create_quantization

ROWS_OF_EXPERTS = {
    "uneven": [3, 0, 8, 17, 1],
    "one_expert": [0, 0, 0, 0, 21],
    "one_row": [0, 1, 0, 0, 0],
    "whole_blocks": [8, 16, 0, 8, 8],
}


def one_after_another(function: tirx.PrimFunc) -> tirx.PrimFunc:
    """Returns a kernel without barriers as loops over its threads."""

    def serial(loop: tirx.For) -> tirx.For:
        return tirx.For(loop.loop_var, loop.min, loop.extent, tirx.ForKind.SERIAL, loop.body)

    body = tvm_ffi.structural_map(function.body, [(tirx.For, serial)])
    return function.with_body(body)


@pytest.mark.parametrize("rows", ROWS_OF_EXPERTS.values(), ids=ROWS_OF_EXPERTS)
@pytest.mark.parametrize(
    ("name", "columns", "k"), [("q0f32", 300, 12), ("q4f32_1", 130, 64), ("q3f16_1", 64, 80)]
)
def test_gpu_loops(cpu_device, name, columns, k, rows):
    """Rows, columns and depths that fill a thread's part and that do not."""
    quantization = create_quantization(name, tvm.target.Target(config.device("android").target))
    dtype = quantization.model_dtype
    experts = Experts(quantization, len(rows), k, columns)
    tokens = tirx.Var("tokens", "int64")
    x = te.placeholder((tokens, 1, k), dtype, name="x")
    first = te.placeholder((len(rows) + 1,), "int32", name="first")
    parameters = [getattr(experts, parameter) for parameter in experts.parameter_names]
    stored = [te.placeholder(parameter.shape, parameter.dtype) for parameter in parameters]
    out = grouped_product(
        x,
        [first, block_ends(first)],
        stored,
        experts.element,
        columns,
        quantization.compute_dtype,
    )
    function = te.create_prim_func([x, first, *stored, out], index_dtype_override="int64")
    assert "thread_binding" in str(function)
    target = tvm.target.Target(config.device(cpu_device).target)
    function = one_after_another(function).with_attr("global_symbol", "main")
    kernel = tirx.build(tvm.IRModule({"main": function}), target=target)["main"]

    random = np.random.default_rng(0)
    shape = [len(rows), columns, k]
    if quantization.decodes:
        arrays, values = quantized(random, shape, config.quantization(name))
    else:
        arrays = [random.standard_normal(shape).astype(dtype) / 16]
        values = arrays[0].astype(np.float64)
    bounds = np.concatenate([[0], np.cumsum(rows)]).astype(np.int32)
    left = random.standard_normal((bounds[-1], k)).astype(dtype)
    out = tvm.runtime.tensor(np.full((bounds[-1], 1, columns), np.nan, dtype))
    kernel(*map(tvm.runtime.tensor, [left[:, None], bounds, *arrays]), out)
    result = out.numpy()[:, 0]
    for expert, matrix in enumerate(values):
        part = slice(bounds[expert], bounds[expert + 1])
        expected = left[part].astype(np.float64) @ matrix.T
        tolerance = 1e-2 if dtype == "float16" else 1e-5
        assert np.allclose(result[part], expected, atol=tolerance)
