"""The shortcuts around TVM's start change how long it takes, and nothing else."""

from __future__ import annotations

import inspect
import subprocess
import sys

import tvm
from tvm.script import tirx as T  # noqa: N812

from tools.compiler.tvm_startup import fast_stack


def kernel(size: int, dtype: str):
    """Returns a function that refers to names of its surroundings."""

    @T.prim_func(private=True)
    def function(out: T.Buffer((size,), dtype)):
        for i in range(size):
            out[i] = T.Cast(dtype, size)

    return function


def test_parsed_functions_are_equal():
    """A function parsed with the shortcut is the one parsed without; the standard is restored."""
    standard = inspect.stack, inspect.getouterframes
    with fast_stack():
        assert (inspect.stack, inspect.getouterframes) != standard
        fast = kernel(7, "float16")
    assert (inspect.stack, inspect.getouterframes) == standard
    tvm.ir.assert_structural_equal(fast, kernel(7, "float16"))


def test_only_the_target_s_intrinsics_are_loaded():
    """Those of other targets are left alone."""
    program = """if True:
        import sys
        from tools.compiler.tvm_startup import skip_unused_tensor_intrinsics
        import tvm
        skip_unused_tensor_intrinsics()
        from tvm.s_tir.tensor_intrin.metal import get_simdgroup_intrin_group
        get_simdgroup_intrin_group
        assert "tvm.s_tir.tensor_intrin.cuda" not in sys.modules
    """
    environment = {"PYTHONPATH": ":".join(filter(None, ["", *sys.path]))}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
