"""Makes the order of a shape function's stores a matter of the module, not of addresses."""

from __future__ import annotations

import tvm
from tvm import tirx


@tvm.transform.module_pass(opt_level=0, name="SortShapeStores")
class SortShapeStores:
    """Sorts the stores of every ``shape_func``, which write to the shape heap.

    VMShapeLower emits them in the order of a hash table of addresses, so that two runs of one
    compilation differ in their bytes. They are independent of each other: each reads sizes that
    were there before, and writes an element of its own.
    """

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        for var, function in mod.functions_items():
            if not (isinstance(function, tirx.PrimFunc) and var.name_hint.startswith("shape_func")):
                continue
            if isinstance(function.body, tirx.SeqStmt):
                stores = sorted(function.body.seq, key=lambda store: int(store.indices[0]))
                mod[var] = function.with_body(tirx.SeqStmt(stores))
        return mod
