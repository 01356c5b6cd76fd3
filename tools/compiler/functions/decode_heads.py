"""The KV cache's kernels that decode on a GPU, where those that TVM makes skip heads."""

from __future__ import annotations

from typing import Any

from tvm import relax, s_tir, tirx
from tvm.relax.frontend.nn.llm import _decode_kernels
from tvm.target import Target

KERNELS = {"tir_attention_decode": False, "tir_attention_decode_sliding_window": True}
"""Name of a kernel, and whether it has a window."""

_THREADS = ("max_num_threads", "max_threads_per_block")


def covered_heads(kernel: tirx.PrimFunc) -> int:
    """Returns how many query heads the threads of a kernel compute."""
    extents = _extents(kernel)
    return extents["blockIdx.y"] * extents["threadIdx.y"]


def cover_all_heads(
    builder: relax.BlockBuilder,
    num_query_heads: int,
    num_key_value_heads: int,
    head_dim: int,
    dtype: str,
    rope_scaling: dict[str, Any],
    target: Target,
) -> None:
    """Replaces the kernels that do not compute every query head.

    Of the query heads that share a key head TVM gives a block of threads all, or half of them
    rounded down, and so on, until they fit; the rest of an odd number has no block. Such a kernel
    is made again for fewer threads, with the next such number that divides.

    Args:
        builder: Has the kernels.
        num_query_heads: Number of query heads.
        num_key_value_heads: Number of key heads, and of value heads.
        head_dim: Length of a head.
        dtype: dtype of the heads.
        rope_scaling: What the kernels were made with.
        target: A GPU.
    """
    for name, has_window in KERNELS.items():
        var = builder.get().get_global_var(name)
        kernel = builder.get()[var]
        if covered_heads(kernel) == num_query_heads:
            continue
        extents = _extents(kernel)
        group = heads = num_query_heads // num_key_value_heads
        while heads >= extents["threadIdx.y"] or group % heads:
            heads //= 2
        whole = _decode_kernels._attention_decode(
            num_key_value_heads,
            num_query_heads,
            head_dim,
            dtype,
            has_window,
            rope_scaling,
            _with_threads(target, heads * extents["threadIdx.x"]),
        )
        builder.update_func(var, whole.with_attr("global_symbol", kernel.attrs["global_symbol"]))


def _extents(kernel: tirx.PrimFunc) -> dict[str, int | tirx.Expr]:
    """Returns how many blocks and threads a kernel has."""
    statement, found = kernel.body, {}
    while not isinstance(statement, tirx.For):
        statement = (
            statement.block if isinstance(statement, s_tir.SBlockRealize) else statement.body
        )
    while isinstance(statement, tirx.For) and statement.thread_binding is not None:
        extent = statement.extent
        is_known = isinstance(extent, tirx.IntImm)
        found[statement.thread_binding.thread_tag] = int(extent) if is_known else extent
        statement = statement.body
    return found


def _with_threads(target: Target, threads: int) -> Target:
    """Returns the target with so many threads in a block at most."""
    limits = {name: threads for name in _THREADS if target.attrs.get(name) is not None}
    return Target({**target.export(), **limits})
