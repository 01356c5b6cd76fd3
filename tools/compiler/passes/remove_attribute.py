"""Removes an attribute that has done its work."""

from __future__ import annotations

import tvm
from tvm import tirx


@tvm.transform.module_pass(opt_level=0, name="RemoveAttribute")
class RemoveAttribute:
    """Removes one attribute from all PrimFuncs.

    Args:
        key: For example ``op_pattern``, which no one reads once functions are fused, and which
            would keep apart functions that are otherwise equal.
    """

    def __init__(self, key: str) -> None:
        self.key = key

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        for var, function in mod.functions_items():
            if isinstance(function, tirx.PrimFunc) and self.key in function.attrs:
                mod[var] = function.without_attr(self.key)
        return mod
