"""Adds the function ``_metadata``, by which a runtime learns what a library is."""

from __future__ import annotations

import json
from typing import Any

import tvm
from tvm import relax, tirx


@tvm.transform.module_pass(opt_level=0, name="AttachMetadata")
class AttachMetadata:
    """Adds ``_metadata() -> JSON string`` and fills in its ``memory_usage``.

    ``memory_usage`` is the temporary memory of each Relax function in bytes, without what depends
    on sizes that have no bound. It is known once memory is planned, so the pass comes after
    StaticPlanBlockMemory.

    Args:
        metadata: The rest of the metadata; ``memory_usage`` is added to it.
    """

    def __init__(self, metadata: dict[str, Any]) -> None:
        self.metadata = metadata

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        self.metadata["memory_usage"] = {
            var.name_hint: _temporary_bytes(function)
            for var, function in sorted(mod.functions_items(), key=lambda item: item[0].name_hint)
            if isinstance(function, relax.Function)
        }
        builder = relax.BlockBuilder()
        with builder.function("_metadata", []):
            builder.emit_func_output(tvm.ir.StringImm(json.dumps(self.metadata)))
        mod["_metadata"] = builder.finalize()["_metadata"]
        return mod


def _temporary_bytes(function: relax.Function) -> int:
    """Returns the bytes of all allocations of a constant size."""
    total = 0
    for block in function.body.blocks:
        for binding in block.bindings:
            if not (
                isinstance(binding, relax.VarBinding)
                and isinstance(binding.value, relax.Call)
                and isinstance(binding.value.op, tvm.ir.Op)
            ):
                continue
            call = binding.value
            if call.op.name == "relax.memory.alloc_storage":
                total += _constant_product(call.args[0].values)
            elif call.op.name == "relax.builtin.alloc_tensor":
                item = tvm.DataType(str(call.args[1].value)).itemsize
                total += _constant_product(call.args[0].values) * item
    return total


def _constant_product(sizes) -> int:
    """Returns the product, or 0 if one of the sizes is not constant."""
    product = 1
    for size in sizes:
        if not isinstance(size, tirx.IntImm):
            return 0
        product *= int(size)
    return product
