"""Tells the memory planner what is known about the symbolic sizes."""

from __future__ import annotations

from collections.abc import Mapping

import tvm
from tvm import relax


@tvm.transform.module_pass(opt_level=0, name="AttachSizeBounds")
class AttachSizeBounds:
    """Sets the largest value of every named size on all Relax functions.

    With bounds, memory is planned statically: a function's temporary memory is then a number that
    is known when the library is compiled.

    Args:
        bounds: Size variable's name to its largest value.
    """

    def __init__(self, bounds: Mapping[str, int]) -> None:
        self.bounds = dict(bounds)

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        for var, function in mod.functions_items():
            if isinstance(function, relax.Function):
                mod[var] = function.with_attrs(
                    {
                        "tir_var_upper_bound": self.bounds,
                        "tir_non_negative_var": ["vocab_size"],
                        "relax.memory_plan_dynamic_func_output": True,
                    }
                )
        return mod
