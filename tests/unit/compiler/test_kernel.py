"""A kernel is made once for each set of shapes, dtypes and further properties."""

from __future__ import annotations

import pytest
from tvm import relax, te, tirx
from tvm.relax.frontend import nn

from tools.compiler.layers.kernel import call_kernel, kernel_cache


def scale(x: nn.Tensor, factor: int, made: list[int]) -> nn.Tensor:
    """Emits a kernel, and notes in `made` when its expression is asked for."""

    def compute(source: te.Tensor) -> te.Tensor:
        made.append(factor)
        return te.compute(source.shape, lambda i, j: source[i, j] * factor, name="scale")

    return call_kernel(compute, "scale", [x], key=factor)


@pytest.fixture
def function():
    """A builder inside a function, with tensors (n, 4), (n, 4) and (m, 4)."""
    n, m = tirx.Var("n", "int64"), tirx.Var("m", "int64")
    parameters = [
        relax.Var(f"x{i}", relax.TensorType([rows, 4], "float32"))
        for i, rows in enumerate((n, n, m))
    ]
    builder = relax.BlockBuilder()
    with kernel_cache(), builder.function("main", parameters):
        yield [nn.Tensor(_expr=parameter) for parameter in parameters]
        builder.emit_func_output(parameters[0])


def called(x: nn.Tensor) -> str:
    return relax.BlockBuilder.current().lookup_binding(x._expr).args[0].name_hint


def test_equal_calls_share_a_kernel(function):
    """The second call makes no expression; its argument and type are its own."""
    made: list[int] = []
    first, second = scale(function[0], 2, made), scale(function[1], 2, made)
    assert made == [2]
    assert called(first) == called(second)
    binding = relax.BlockBuilder.current().lookup_binding(second._expr)
    assert binding.args[1][0].same_as(function[1]._expr)
    assert second.shape[0].same_as(function[1].shape[0])


def test_other_properties_make_another_kernel(function):
    """What `key` says is part of what a kernel is."""
    made: list[int] = []
    assert called(scale(function[0], 2, made)) != called(scale(function[0], 3, made))
    assert made == [2, 3]


def test_other_sizes_have_types_of_their_own(function):
    """A result's shape is in the variables of its own argument."""
    result = scale(scale(function[0], 2, []), 2, [])
    other = scale(function[2], 2, [])
    assert other.shape[0].same_as(function[2].shape[0])
    assert not other.shape[0].same_as(result.shape[0])
