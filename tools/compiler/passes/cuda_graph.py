"""What a library needs for CUDA graphs, beside TVM's pass that finds what can be captured."""

from __future__ import annotations

import tvm
from tvm import relax

CAPTURED_SIZES = {
    "batch_decode": ["batch_size"],
    "batch_decode_to_last_hidden_states": ["batch_size"],
    "batch_verify": ["batch_size", "seq_len"],
    "batch_verify_to_last_hidden_states": ["batch_size", "seq_len"],
}
"""Functions that are captured once for each value of these sizes, as upstream has them."""


@tvm.transform.module_pass(opt_level=0, name="AttachCapturedSizes")
class AttachCapturedSizes:
    """Tells `relax.transform.RewriteCUDAGraph` of `CAPTURED_SIZES`; it comes before that pass."""

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        for var, function in mod.functions_items():
            if var.name_hint in CAPTURED_SIZES:
                sizes = CAPTURED_SIZES[var.name_hint]
                mod[var] = function.with_attr(
                    "relax.rewrite_cuda_graph.capture_symbolic_vars", sizes
                )
        return mod


@tvm.transform.module_pass(opt_level=0, name="AttachGraphAllocation")
class AttachGraphAllocation:
    """Adds ``cuda_graph_alloc_init``, by which the runtime allocates the graphs' memory early."""

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        allocations = [
            var for var in mod.get_global_vars() if var.name_hint.startswith("cuda_graph_alloc")
        ]
        if not allocations:
            return mod
        builder = relax.BlockBuilder(mod)
        with builder.function("cuda_graph_alloc_init", []):
            cached = relax.op.call_builtin_with_ctx(
                "vm.builtin.cuda_graph.get_cached_alloc",
                args=[allocations[0], relax.prim_value(0)],
                ty_args=relax.ObjectType(),
            )
            builder.emit_func_output(builder.emit(cached))
        return builder.finalize()
