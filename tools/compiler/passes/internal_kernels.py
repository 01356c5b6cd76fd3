"""Leaves out checks of arguments that cannot fail.

TVM begins every kernel with checks of each argument: its type, rank, sizes, strides, device. For
the kernels that only the library's own byte code calls they check what the compiler itself has
put there, from parameters that the functions of the library have checked before. They are half
of the code for the host, and of the time it takes to generate it.
"""

from __future__ import annotations

import tvm
from tvm import tirx

_INTERNAL = "rules_mlc.internal"


@tvm.transform.module_pass(opt_level=0, name="MarkInternalKernels")
class MarkInternalKernels:
    """Marks kernels without a symbol of their own, which nothing outside the module can call."""

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        for var, function in mod.functions_items():
            if isinstance(function, tirx.PrimFunc) and "global_symbol" not in function.attrs:
                mod[var] = function.with_attr(_INTERNAL, True)
        return mod


@tvm.transform.module_pass(opt_level=0, name="SkipInternalAsserts")
class SkipInternalAsserts:
    """Removes the checks from the marked kernels; it comes when MakePackedAPI has made them."""

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        internal = tirx.transform.Filter(lambda function: _INTERNAL in function.attrs)(mod)
        mod.update(tirx.transform.SkipAssert()(internal))
        return mod
