"""A CPU's kernel of ``silu(gate) * up`` is right for gates of every size."""

from __future__ import annotations

import ml_dtypes  # noqa: F401 - makes bfloat16 a dtype of numpy
import numpy as np
import pytest
import tvm
from tvm import te, tirx

from tools import config
from tools.compiler.layers.cpu_gate import cpu_silu_mul


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 1e-6), ("float16", 1e-3), ("bfloat16", 1e-2)]
)
@pytest.mark.parametrize("rows", [1, 3])
def test_silu_mul(cpu_device, dtype, tolerance, rows):
    """Gates so far from 0 that a power of them leaves the range of float32, too."""
    size = 1 if rows == 1 else tirx.Var("rows", "int64")
    data = te.placeholder((size, 48), dtype, name="data")
    function = te.create_prim_func([data, cpu_silu_mul(data, 8)], index_dtype_override="int64")
    module = tvm.IRModule({"main": function.with_attr("global_symbol", "main")})
    kernel = tirx.build(module, target=tvm.target.Target(config.device(cpu_device).target))["main"]
    random = np.random.default_rng(0)
    both = random.standard_normal((rows, 48))
    both[:, :24] *= 5
    both[:, :4] = [0, 300, -300, -50]
    both = both.astype(dtype)
    result = tvm.runtime.tensor(np.full((rows, 24), np.nan, dtype))
    kernel(tvm.runtime.tensor(both), result)
    gate, up = np.split(both.astype(np.float64), 2, axis=1)
    expected = gate / (1 + np.exp(-gate)) * up
    error = np.abs(result.numpy().astype(np.float64) - expected)
    assert (error <= tolerance * np.maximum(np.abs(expected), 1e-3)).all()
