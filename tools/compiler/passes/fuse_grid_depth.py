"""Makes launches two-dimensional, for WebGPU."""

from __future__ import annotations

import tvm
import tvm_ffi
from tvm import tirx

_EXTENT = "thread_extent"


@tvm.transform.module_pass(opt_level=0, name="FuseGridDepth")
class FuseGridDepth:
    """Lays the blocks of ``blockIdx.z`` side by side along ``blockIdx.x``.

    TVM's WebGPU code generator keeps the third dimension for itself, and TVM's sort uses it.
    """

    def transform_module(
        self, mod: tvm.IRModule, _context: tvm.transform.PassContext
    ) -> tvm.IRModule:
        for var, function in mod.functions_items():
            if isinstance(function, tirx.PrimFunc):
                body = tvm_ffi.structural_map(function.body, (tirx.AttrStmt, _fuse_depth))
                mod[var] = function.with_body(body)
        return mod


def _fuse_depth(statement: tirx.AttrStmt) -> tirx.Stmt:
    if not _is_launch(statement, "blockIdx.z"):
        return statement
    depth, layers = statement.node.var, statement.value

    def fuse(inner: tirx.AttrStmt) -> tirx.Stmt:
        if not _is_launch(inner, "blockIdx.x"):
            return inner
        block = inner.node.var
        parts = {block: tirx.floordiv(block, layers), depth: tirx.floormod(block, layers)}
        body = tvm_ffi.structural_map(inner.body, (tirx.Var, lambda var: parts.get(var, var)))
        return tirx.AttrStmt(inner.node, _EXTENT, inner.value * layers, body)

    return tvm_ffi.structural_map(statement.body, (tirx.AttrStmt, fuse))


def _is_launch(statement: tirx.AttrStmt, tag: str) -> bool:
    return statement.attr_key == _EXTENT and statement.node.thread_tag == tag
