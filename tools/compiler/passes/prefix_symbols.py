"""Gives every kernel of a system library the library's prefix.

Several system libraries are linked into one program, so their symbols must differ. Setting
``system_lib_prefix`` alone is not enough: the packed entry point ``__tvm_ffi_<name>`` of a kernel
is named after its ``global_symbol`` before that prefix is applied, and would clash.
"""

from __future__ import annotations

import tvm
from tvm import relax, tirx
from tvm.relax.expr_functor import PyExprMutator, mutator


@tvm.transform.module_pass(opt_level=0, name="PrefixSymbols")
class PrefixSymbols:
    """Renames every PrimFunc ``name`` to ``<prefix>name``, with all references to it.

    Args:
        prefix: For example ``my_model_``.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        renamed: dict[tvm.ir.GlobalVar, tvm.ir.GlobalVar] = {}
        for var, function in mod.functions_items():
            if isinstance(function, tirx.PrimFunc):
                renamed[var] = tvm.ir.GlobalVar(self.prefix + var.name_hint)
                relax.expr._update_type(renamed[var], var.ty)
        replace = _ReplaceGlobalVars(renamed)
        functions = {}
        for var, function in mod.functions_items():
            if var in renamed:
                symbol = renamed[var].name_hint
                functions[renamed[var]] = function.with_attr("global_symbol", symbol)
            elif isinstance(function, relax.Function):
                functions[var] = replace.visit_expr(function)
            else:
                functions[var] = function
        return tvm.IRModule(functions, attrs=mod.attrs)


@mutator
class _ReplaceGlobalVars(PyExprMutator):
    def __init__(self, replacements: dict[tvm.ir.GlobalVar, tvm.ir.GlobalVar]) -> None:
        super().__init__()
        self.replacements = replacements

    def visit_global_var_(self, op: tvm.ir.GlobalVar) -> tvm.ir.GlobalVar:
        return self.replacements.get(op, op)
