"""The passes from a Relax module of high-level operators to one that the VM can run, in order."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import tvm
from tvm import relax, tirx
from tvm.s_tir import dlight
from tvm.target import Target

from tools.compiler.passes.attach_metadata import AttachMetadata
from tools.compiler.passes.attach_size_bounds import AttachSizeBounds
from tools.compiler.passes.cuda_graph import AttachCapturedSizes, AttachGraphAllocation
from tools.compiler.passes.fuse_grid_depth import FuseGridDepth
from tools.compiler.passes.remove_attribute import RemoveAttribute
from tools.compiler.passes.share_storage import ShareStorage
from tools.compiler.passes.sort_shape_stores import SortShapeStores
from tools.compiler.schedules.cpu_matmul import CPUMatmul
from tools.compiler.schedules.gpu_experts import GPUExperts


def relax_pipeline(
    target: Target,
    bounds: Mapping[str, int],
    metadata: dict[str, Any],
    optimizations: Collection[str] = (),
) -> tvm.transform.Sequential:
    """Returns the passes up to the VM's operators, for `target`.

    Reshapes stay what they are, views: as kernels they would be copies.

    Args:
        target: What is compiled for.
        bounds: Largest values of symbolic sizes (see `AttachSizeBounds`).
        metadata: Of the function ``_metadata``; the pipeline adds ``memory_usage`` to it.
        optimizations: See `CompileKey`.
    """
    return tvm.transform.Sequential(
        [
            AttachSizeBounds(bounds),
            relax.transform.LegalizeOps(skip_ops=["relax.reshape"]),
            relax.transform.AnnotateTIROpPattern(),
            relax.transform.FuseOps(),
            relax.transform.FuseTIR(),
            relax.transform.DeadCodeElimination(),
            RemoveAttribute("op_pattern"),
            *_schedule(target),
            relax.transform.ToNonDataflow(),
            relax.transform.RemovePurityChecking(),
            relax.transform.CallTIRRewrite(),
            relax.transform.StaticPlanBlockMemory(),
            ShareStorage(),
            AttachMetadata(metadata),
            *(_cuda_graph() if "cuda_graph" in optimizations else []),
            relax.transform.LowerAllocTensor(),
            relax.transform.KillAfterLastUse(),
            relax.transform.LowerRuntimeBuiltin(),
            relax.transform.ComputePrimValue(),
            relax.transform.VMShapeLower(),
            SortShapeStores(),
            relax.transform.AttachGlobalSymbol(),
        ]
    )


def _cuda_graph() -> list[tvm.transform.Pass]:
    """Returns the passes that put launches of kernels into CUDA graphs, memory being planned."""
    return [AttachCapturedSizes(), relax.transform.RewriteCUDAGraph(), AttachGraphAllocation()]


def _schedule(target: Target) -> list[tvm.transform.Pass]:
    """Returns the passes that schedule PrimFuncs.

    On a GPU indices become 32-bit first: 64-bit arithmetic is slow on phones, and schedules made
    for 64-bit indices cannot be narrowed afterwards. CUDA keeps them: its buffers may be larger.
    """
    if target.kind.name == "llvm":
        return [dlight.ApplyDefaultSchedule(CPUMatmul())]
    return [
        *([] if target.kind.name == "cuda" else [tirx.transform.ForceNarrowIndexToInt32()]),
        *([FuseGridDepth()] if target.kind.name == "webgpu" else []),
        dlight.ApplyDefaultSchedule(
            GPUExperts(),
            dlight.gpu.Matmul(),
            dlight.gpu.GEMV(),
            dlight.gpu.Reduction(),
            dlight.gpu.GeneralReduction(),
            dlight.gpu.Fallback(),
        ),
    ]
