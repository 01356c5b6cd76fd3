"""A CPU's kernels for products with weights are right for sizes that fill vectors and do not."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable

import numpy as np
import pytest
import tvm
from tvm import te, tirx

from tests.numeric.weights import quantized
from tools import config
from tools.compiler.layers.cpu_product import cpu_product, lanes_of_register
from tools.compiler.layers.epilogue import NOTHING, Epilogue
from tools.compiler.layers.integer_product import integer_product
from tools.compiler.layers.x86_integers import most_sums
from tools.compiler.quantization import create_quantization

TOLERANCE = {"bfloat16": 1e-2, "float16": 1e-3, "float32": 1e-6}
"""Relative to the largest result: the rounding of the output, and of float32 sums."""


FLOATS = [
    ("q0f32", 48, 16),
    ("q0f16", 20, 4),
    ("q0bf16", 24, 8),
    ("q4f16_1", 512, 16),
    ("q4f32_1", 480, 4),
    ("q4f32_1", 70, 4),
    ("q3f16_1", 640, 16),
    ("q4bf16_1", 90, 4),
]
"""Quantization, length of a row, and how many lanes a vector of it has."""

INTEGERS = [
    ("q4f16_1", 512, 8),
    ("q4bf16_1", 192, 8),
    ("q3f16_1", 640, 8),
    ("q3f16_1", 120, 4),
]
"""The same of products of integers, which only x86 has."""

KERNELS = [("floats", *case) for case in FLOATS]
if platform.machine() == "x86_64":
    KERNELS += [("integers", *case) for case in INTEGERS]


@pytest.mark.parametrize(("kind", "name", "k", "lanes"), KERNELS)
@pytest.mark.parametrize("is_one", [True, False], ids=["one_row", "many_rows"])
@pytest.mark.parametrize("are_columns_dynamic", [False, True], ids=["fixed", "dynamic"])
def test_product(cpu_device, kind, name, k, lanes, is_one, are_columns_dynamic):
    """One row and many, whole groups and begun ones, every size of a vector."""
    quantization, kernel, order = _kernel(cpu_device, kind, name, k, is_one, are_columns_dynamic)
    assert order.lanes == lanes
    dtype, random = quantization.model_dtype, np.random.default_rng(0)
    if quantization.decodes:
        arrays, weight = quantized(random, [37, k], config.quantization(name))
    else:
        arrays = [(random.standard_normal((37, k)) / 16).astype(dtype)]
        weight = arrays[0].astype(np.float64)
    for rows in [1] if is_one else [1, 4, 7]:
        left = random.standard_normal((rows, k)).astype(dtype)
        # Blocks of zeros, and one number that is far larger than all others.
        left[0, : k // 2] = 0
        left[-1, -1] = 500
        _check(kernel, left, arrays, weight)


@pytest.mark.parametrize(("name", "k"), [("q4f16_1", 512), ("q3f16_1", 640)])
@pytest.mark.parametrize("rows", [1, 4])
def test_largest_numbers(cpu_device, name, k, rows):
    """Sums of the largest integers, of either sign, do not overflow."""
    quantization, kernel, _ = _kernel(cpu_device, KERNELS[-1][0], name, k, rows == 1, False)
    bits = quantization.bits
    scales = np.full((37, k // quantization.group_size), 0.25, np.float16)
    for word, digit in ((0, 0), (0xFFFFFFFF, (1 << bits) - 1)):
        words = np.full((37, k // quantization.elements_per_word), word, np.uint32)
        weight = np.full((37, k), (digit - (1 << (bits - 1)) + 1) * 0.25)
        _check(kernel, np.full((rows, k), -1, np.float16), [words, scales], weight)


GELU = {
    "erf": lambda x: x / 2 * (1 + np.vectorize(math.erf)(x * math.sqrt(0.5))),
    "tanh": lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    None: lambda x: x,
}


@pytest.mark.parametrize(
    ("kind", "name", "k"),
    [("floats", "q0f32", 48), ("floats", "q4bf16_1", 90), KERNELS[-1][:3]],
)
@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("gelu", [None, "erf", "tanh"])
def test_what_follows_a_product(cpu_device, kind, name, k, rows, bias, gelu):
    """A bias and a GELU, which kernels add to a sum before they store it."""
    epilogue = Epilogue(bias=bias, gelu=gelu)
    quantization, kernel, _ = _kernel(cpu_device, kind, name, k, rows == 1, False, epilogue)
    dtype, random = quantization.model_dtype, np.random.default_rng(0)
    if quantization.decodes:
        arrays, weight = quantized(random, [37, k], config.quantization(name))
    else:
        arrays = [random.standard_normal((37, k)).astype(dtype)]
        weight = arrays[0].astype(np.float64)
    left = random.standard_normal((rows, k))
    # Sums from -6 to 6, where a GELU is neither 0 nor what it is given.
    left = (left * 2 / (left @ weight.T).std()).astype(dtype)
    added = (random.standard_normal(37) * bias).astype(dtype)
    follow = lambda sums: GELU[gelu](sums + added.astype(np.float64))  # noqa: E731
    _check(kernel, left, [*arrays, *([added] if bias else [])], weight, follow)


def _kernel(device, kind, name, k, is_one, are_columns_dynamic, epilogue=NOTHING) -> tuple:
    """Returns a quantization, the kernel of a product with 37 rows, and how that reads a row."""
    target = tvm.target.Target(config.device(device).target)
    quantization = create_quantization(name, target)
    columns = tirx.Var("columns", "int64") if are_columns_dynamic else 37
    rows = 1 if is_one else tirx.Var("rows", "int64")
    x = te.placeholder((rows, k), quantization.model_dtype, name="x")
    parameters = quantization.parameters(37, k).values()
    stored = [te.placeholder((columns, p.shape[1]), p.dtype) for p in parameters]
    if kind == "integers":
        order, product = quantization.integers(k, most_sums(target)), integer_product
    else:
        order, product = quantization.row_vectors(k, 16), cpu_product
    dtype = quantization.model_dtype
    if epilogue.bias:
        stored.append(te.placeholder((columns,), dtype))
    out = product(x, stored, order, "float32" if dtype == "bfloat16" else dtype, epilogue)
    function = te.create_prim_func([x, *stored, out], index_dtype_override="int64")
    function = function.with_attr("global_symbol", "main")
    kernel = tirx.build(tvm.IRModule({"main": function}), target=target)["main"]
    return quantization, kernel, order


def _check(
    kernel,
    left: np.ndarray,
    arrays: list[np.ndarray],
    weight: np.ndarray,
    follow: Callable = GELU[None],
) -> None:
    dtype = str(left.dtype)
    out_dtype = np.float32 if dtype == "bfloat16" else left.dtype
    result = tvm.runtime.tensor(np.full((len(left), 37), np.nan, out_dtype))
    kernel(*map(tvm.runtime.tensor, [left, *arrays]), result)
    expected = follow(left.astype(np.float64) @ weight.T)
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


@pytest.mark.parametrize(
    ("target", "lanes"),
    [
        ({"mtriple": "x86_64-linux-gnu", "mcpu": "x86-64-v4"}, 16),
        ({"mtriple": "x86_64-linux-gnu", "mcpu": "x86-64-v3"}, 8),
        ({"mtriple": "x86_64-linux-gnu", "mcpu": "x86-64-v2"}, None),
        ({"mtriple": "aarch64-linux-gnu", "mattr": ["+neon"]}, None),
    ],
)
@pytest.mark.parametrize(
    ("name", "k"), [("q4f16_1", 512), ("q3f16_1", 640), ("q4f16_1", 90), ("q4f32_1", 512)]
)
def test_integers_are_for_targets_and_weights_that_suit(target, lanes, name, k):
    """Other processors, begun groups and float32 have the product of floats."""
    quantization = create_quantization(name, tvm.target.Target("llvm"))
    integers = quantization.integers(k, most_sums(tvm.target.Target({"kind": "llvm", **target})))
    expected = lanes if name != "q4f32_1" and k != 90 else None
    assert (integers and integers.lanes) == expected
