"""Copies between rows of matrices, with which speculative decoding keeps its states.

``gather_probs`` and ``scatter_probs`` move float32 probabilities; ``gather_hidden_states`` and
``scatter_hidden_states`` move hidden states. All write into their last argument.
"""

from __future__ import annotations

from tvm import relax, tirx
from tvm.script import tirx as T  # noqa: N812


def add_gather_scatter_probs(builder: relax.BlockBuilder) -> None:
    """Adds the kernels ``gather_probs`` and ``scatter_probs``: ``(src, indices, dst)``.

    src is ``(m, n)`` and dst ``(batch_size, n)`` to gather, the other way round to scatter;
    indices is int32 ``(batch_size,)``.

    Args:
        builder: Where the kernels go.
    """
    for name, kernel in (("gather_probs", _gather), ("scatter_probs", _scatter)):
        builder.add_func(kernel("float32").with_attr("global_symbol", name), name)


def add_gather_scatter_hidden_states(builder: relax.BlockBuilder, dtype: str) -> None:
    """Adds ``gather_hidden_states`` and ``scatter_hidden_states``: ``(src, indices, dst) -> dst``.

    Args:
        builder: Where the functions and kernels go.
        dtype: dtype of the hidden states.
    """
    for name, kernel in (("gather_hidden_states", _gather), ("scatter_hidden_states", _scatter)):
        batch_size, m, n = (tirx.Var(size, "int64") for size in ("batch_size", "m", "n"))
        few, many = [batch_size, n], [m, n]
        shapes = (many, few) if kernel is _gather else (few, many)
        src = relax.Var("src", relax.TensorType(shapes[0], dtype))
        indices = relax.Var("indices", relax.TensorType([batch_size], "int32"))
        dst = relax.Var("dst", relax.TensorType(shapes[1], dtype))
        with builder.function(name, [src, indices, dst]):
            with builder.dataflow():
                call = relax.op.call_tir_inplace(
                    builder.add_func(kernel(dtype), f"_{name}"), [src, indices, dst], 2, dst.ty
                )
                result = builder.emit_output(call)
            builder.emit_func_output(result)


def _gather(dtype: str) -> tirx.PrimFunc:
    @T.prim_func(private=True, s_tir=True)
    def gather(src_handle: T.handle, indices_handle: T.handle, dst_handle: T.handle):
        T.func_attr({"tirx.noalias": True})
        batch_size, m, n = T.int64(), T.int64(), T.int64()
        src = T.match_buffer(src_handle, (m, n), dtype)
        indices = T.match_buffer(indices_handle, (batch_size,), "int32")
        dst = T.match_buffer(dst_handle, (batch_size, n), dtype)
        for i, j in T.grid(batch_size, n):
            with T.sblock("gather"):
                vi, vj = T.axis.remap("SS", [i, j])
                dst[vi, vj] = src[indices[vi], vj]

    return gather


def _scatter(dtype: str) -> tirx.PrimFunc:
    @T.prim_func(private=True, s_tir=True)
    def scatter(src_handle: T.handle, indices_handle: T.handle, dst_handle: T.handle):
        T.func_attr({"tirx.noalias": True})
        batch_size, m, n = T.int64(), T.int64(), T.int64()
        src = T.match_buffer(src_handle, (batch_size, n), dtype)
        indices = T.match_buffer(indices_handle, (batch_size,), "int32")
        dst = T.match_buffer(dst_handle, (m, n), dtype)
        for i, j in T.grid(batch_size, n):
            with T.sblock("scatter"):
                vi, vj = T.axis.remap("SS", [i, j])
                dst[indices[vi], vj] = src[vi, vj]

    return scatter
