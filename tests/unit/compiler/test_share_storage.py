"""Tensors share memory where none of them is needed any more, and only there."""

from __future__ import annotations

import numpy as np
import pytest
import tvm
from tvm import relax, tirx

from tools.compiler.passes.attach_metadata import AttachMetadata
from tools.compiler.passes.attach_size_bounds import AttachSizeBounds
from tools.compiler.passes.share_storage import ShareStorage

ROWS = 16
"""Bound of the number of rows, which is dynamic."""


def layers(widths: list[int], *, last: int) -> tvm.IRModule:
    """Returns a chain of sums with a residual around each layer.

    Args:
        widths: Of the tensors inside a layer; one outside has 4 columns.
        last: Width of the result.
    """
    rows = tirx.Var("rows", "int64")
    start = relax.Var("start", relax.TensorType((rows, 4), "float32"))
    builder = relax.BlockBuilder()

    def emit(*inputs: relax.Var, width: int) -> relax.Var:
        out = relax.TensorType((rows, width), "float32")
        return builder.emit(relax.call_dps_packed("test.row_sums", list(inputs), out))

    with builder.function("forward", [start]):
        x = start
        for width in widths:
            wide = emit(x, width=width)
            view = builder.emit(relax.op.reshape(wide, (rows, width // 2, 2)))
            x = emit(emit(view, width=2 * width), x, width=4)
        builder.emit_func_output(emit(x, width=last))
    return builder.finalize()


@tvm.register_global_func("test.row_sums")
def row_sums(*tensors: tvm.runtime.Tensor) -> None:
    """Writes the number of the column plus the sum of the inputs' rows to the last of `tensors`."""
    *inputs, out = tensors
    total = sum(each.numpy().reshape(each.shape[0], -1).sum(1) for each in inputs)
    out.copyfrom((total[:, None] + np.arange(out.shape[1])).astype("float32"))


def planned(mod: tvm.IRModule, *passes: tvm.transform.Pass) -> tuple[tvm.IRModule, int]:
    """Returns a module that can be generated, and the temporary bytes of its function."""
    metadata: dict = {}
    mod = tvm.transform.Sequential(
        [
            AttachSizeBounds({"rows": ROWS}),
            relax.transform.ToNonDataflow(),
            relax.transform.RemovePurityChecking(),
            relax.transform.CallTIRRewrite(),
            relax.transform.StaticPlanBlockMemory(),
            *passes,
            AttachMetadata(metadata),
            relax.transform.LowerAllocTensor(),
            relax.transform.KillAfterLastUse(),
            relax.transform.LowerRuntimeBuiltin(),
            relax.transform.ComputePrimValue(),
            relax.transform.VMShapeLower(),
            relax.transform.AttachGlobalSymbol(),
        ]
    )(mod)
    return mod, metadata["memory_usage"]["forward"]


def run(mod: tvm.IRModule) -> np.ndarray:
    """Returns what the function makes of rows that are fewer than the bound."""
    executable = relax.build(mod, "llvm", relax_pipeline=tvm.transform.Sequential([]))
    device = tvm.cpu()
    start = np.arange(3 * 4, dtype="float32").reshape(3, 4) / 64
    machine = relax.VirtualMachine(executable.mod, device)
    return machine["forward"](tvm.runtime.tensor(start, device)).numpy()


@pytest.mark.parametrize("last", [2, 4, 64])
def test_memory_is_shared_and_results_stay(last):
    """Beside two residuals and the result, the widest two tensors of all layers take memory."""
    mod = layers([8, 12, 8, 16, 12, 16], last=last)
    before, most = planned(mod)
    after, least = planned(mod, ShareStorage())
    # The result's storage takes smaller tensors, but no larger storage takes the result.
    columns = {2: (32, 16, 4, 4, 2), 4: (32, 16, 4, 4), 64: (64, 16, 4, 4)}[last]
    assert least == 4 * ROWS * sum(columns) < most
    np.testing.assert_array_equal(run(after), run(before))


def test_a_plan_that_is_as_good_stays():
    """Nothing is rewritten for nothing."""
    mod = layers([8], last=2)
    tvm.ir.assert_structural_equal(planned(mod, ShareStorage())[0], planned(mod)[0])


def test_every_expression_has_its_type():
    """A pass that gave it one would change the function, and not find it again by its hash."""
    types: set[type] = set()

    @tvm.transform.module_pass(opt_level=0)
    def collect(mod: tvm.IRModule, _context: tvm.transform.PassContext) -> tvm.IRModule:
        for block in mod["forward"].body.blocks:
            types.update(type(binding.value.ty) for binding in block.bindings)
        return mod

    planned(layers([8, 12, 8, 16, 12, 16], last=2), ShareStorage(), collect)
    assert relax.TensorType in types
    # What has none yet has the base class of all.
    assert tvm.ir.Type not in types
