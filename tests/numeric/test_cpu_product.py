"""A CPU's kernels for products with weights are right for sizes that fill vectors and do not."""

from __future__ import annotations

import numpy as np
import pytest
import tvm
from tvm import te, tirx

from tests.numeric.weights import quantized
from tools import config
from tools.compiler.layers.cpu_product import cpu_product, lanes_of_register
from tools.compiler.quantization import create_quantization

TOLERANCE = {"bfloat16": 1e-2, "float16": 1e-3, "float32": 1e-6}
"""Relative to the largest result: the rounding of the output, and of float32 sums."""


@pytest.mark.parametrize(
    ("name", "k", "lanes"),
    [
        ("q0f32", 48, 16),
        ("q0f16", 20, 4),
        ("q0bf16", 24, 8),
        ("q4f16_1", 512, 16),
        ("q4f32_1", 480, 4),
        ("q4f32_1", 70, 4),
        ("q3f16_1", 640, 16),
        ("q4bf16_1", 90, 4),
    ],
)
@pytest.mark.parametrize("is_one", [True, False], ids=["one_row", "many_rows"])
@pytest.mark.parametrize("are_columns_dynamic", [False, True], ids=["fixed", "dynamic"])
def test_product(cpu_device, name, k, lanes, is_one, are_columns_dynamic):
    """One row and many, whole groups and begun ones, every size of a vector."""
    target = tvm.target.Target(config.device(cpu_device).target)
    quantization = create_quantization(name, target)
    dtype = quantization.model_dtype
    vectors = quantization.row_vectors(k, 16)
    assert vectors.lanes == lanes
    columns = tirx.Var("columns", "int64") if are_columns_dynamic else 37
    x = te.placeholder((1 if is_one else tirx.Var("rows", "int64"), k), dtype, name="x")
    parameters = quantization.parameters(37, k).values()
    stored = [te.placeholder((columns, p.shape[1]), p.dtype) for p in parameters]
    out_dtype = "float32" if dtype == "bfloat16" else dtype
    out = cpu_product(x, stored, vectors, out_dtype)
    function = te.create_prim_func([x, *stored, out], index_dtype_override="int64")
    function = function.with_attr("global_symbol", "main")
    kernel = tirx.build(tvm.IRModule({"main": function}), target=target)["main"]

    random = np.random.default_rng(0)
    if quantization.decodes:
        arrays, weight = quantized(random, [37, k], config.quantization(name))
    else:
        arrays = [(random.standard_normal((37, k)) / 16).astype(dtype)]
        weight = arrays[0].astype(np.float64)
    for rows in [1] if is_one else [1, 4, 7]:
        left = random.standard_normal((rows, k)).astype(dtype)
        result = tvm.runtime.tensor(np.full((rows, 37), np.nan, out_dtype))
        kernel(*map(tvm.runtime.tensor, [left, *arrays]), result)
        expected = left.astype(np.float64) @ weight.T
        error = np.abs(result.numpy() - expected).max() / np.abs(expected).max()
        assert error <= TOLERANCE[dtype]


@pytest.mark.parametrize(
    ("target", "lanes"),
    [
        ({"mtriple": "x86_64-linux-gnu", "mcpu": "x86-64-v4"}, 16),
        ({"mtriple": "x86_64-linux-gnu", "mcpu": "x86-64-v3"}, 8),
        ({"mtriple": "x86_64-linux-gnu", "mcpu": "x86-64"}, 4),
        ({"mtriple": "aarch64-linux-gnu", "mattr": ["+neon"]}, 4),
    ],
)
def test_registers_are_the_targets(target, lanes):
    """What the building machine's processor has does not reach the code."""
    assert lanes_of_register(tvm.target.Target({"kind": "llvm", **target})) == lanes
