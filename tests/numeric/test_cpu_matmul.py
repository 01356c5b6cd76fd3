"""The CPU's schedules of products with ``KN`` weights are right for sizes that fit or do not."""

from __future__ import annotations

import numpy as np
import pytest
import tvm
from tvm import te, tirx
from tvm.s_tir import dlight

from tools import config
from tools.compiler.schedules.cpu_matmul import CPUMatmul


def product(rows, columns, k: int, dtype: str, bias: bool) -> tvm.IRModule:
    """Returns ``left @ right (+ bias)`` as the layers write it; None is a dynamic size."""
    rows = tirx.Var("rows", "int64") if rows is None else rows
    columns = tirx.Var("columns", "int64") if columns is None else columns
    left = te.placeholder((rows, k), dtype, name="left")
    right = te.placeholder((k, columns), dtype, name="right")
    arguments = [left, right]
    widened, decoded = left, right
    if dtype == "float16":
        widened = te.compute(left.shape, lambda i, j: left[i, j].astype("float32"), name="widen")
        decoded = te.compute(
            right.shape, lambda i, j: right[i, j].astype("float32"), name="dequantize"
        )
    axis = te.reduce_axis((0, k), "k")
    out = te.compute(
        (rows, columns),
        lambda i, j: te.sum(widened[i, axis] * decoded[axis, j], axis=axis),
        name="matmul",
    )
    if bias:
        addend = te.placeholder((rows, columns), "float32", name="addend")
        arguments.append(addend)
        total = out
        out = te.compute(out.shape, lambda i, j: total[i, j] + addend[i, j], name="add")
    function = te.create_prim_func([*arguments, out], index_dtype_override="int64")
    return tvm.IRModule({"main": function.with_attr("global_symbol", "main")})


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize(
    ("rows", "columns", "k"),
    [(1, 48, 64), (1, 128, 16), (1, None, 32), (None, 48, 64), (None, 50, 16), (None, None, 48)],
)
def test_product(cpu_device, rows, columns, k, dtype, bias):
    """One row and many, static and dynamic, with and without an epilogue."""
    target = tvm.target.Target(config.device(cpu_device).target)
    with target:
        mod = product(rows, columns, k, dtype, bias)
        scheduled = dlight.ApplyDefaultSchedule(CPUMatmul())(mod)
    assert scheduled["main"].attrs["tirx.is_scheduled"]
    function = tirx.build(scheduled, target=target)["main"]
    random = np.random.default_rng(0)
    for m in [rows] if rows else [1, 3, 4, 9]:
        for n in [columns] if columns else [1, 16, 37]:
            left = random.standard_normal((m, k)).astype(dtype)
            right = random.standard_normal((k, n)).astype(dtype)
            expected = left.astype(np.float64) @ right.astype(np.float64)
            arguments = [left, right]
            if bias:
                arguments.append(random.standard_normal((m, n)).astype(np.float32))
                expected = expected + arguments[-1]
            out = tvm.runtime.tensor(np.full((m, n), np.nan, np.float32))
            function(*map(tvm.runtime.tensor, arguments), out)
            assert np.abs(out.numpy() - expected).max() <= 1e-4


def test_sums_that_do_not_fill_the_lanes_are_left_alone(cpu_device):
    """No schedule is better than a wrong one."""
    target = tvm.target.Target(config.device(cpu_device).target)
    with target:
        mod = dlight.ApplyDefaultSchedule(CPUMatmul())(product(None, 48, 20, "float32", False))
    assert "tirx.is_scheduled" not in mod["main"].attrs
