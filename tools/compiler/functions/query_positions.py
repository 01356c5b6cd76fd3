"""Positions of queries for a kernel that gets no more buffers.

TVM's runtime asks browsers for 10 buffers a kernel. The one that attends from token trees to the
cache takes them all, and for a window needs to know how far each query is from the first key.
A kernel that runs before it leaves that in ``lse``: in the element of each query and head, which
only the threads that attend from there read, before they write what belongs there.
"""

from __future__ import annotations

from tvm import tirx
from tvm.ir import Expr
from tvm.script.ir_builder import IRBuilder
from tvm.script.ir_builder import tirx as T  # noqa: N812
from tvm.target import Target

from tools.compiler.functions.threads import MAX_THREADS
from tools.compiler.functions.tir_rewriter import Scope

_FULL = "tir_attention_prefill_with_tree_mask_with_paged_kv_cache"


def must_be_left(name: str, target: Target) -> bool:
    """Returns whether the kernel of that name has no buffer for them on a target."""
    return name == _FULL and target.kind.name == "webgpu"


def leave(parameters: Scope) -> tirx.Stmt:
    """Returns what is to run before a kernel with the given parameters: a block a sequence."""
    names = ("q_indptr", "k_rope_pos_offset", "q_rope_position", "lse")
    first_queries, first_keys, positions, places = (parameters[name] for name in names)
    heads = places.shape[1]
    with (
        IRBuilder() as builder,
        T.thread_binding(first_keys.shape[0], thread="blockIdx.x") as sequence,
        T.thread_binding(MAX_THREADS, thread="threadIdx.x") as lane,
    ):
        first, end = (first_queries[sequence + i] * heads for i in (0, 1))
        with T.serial(tirx.ceildiv(end - first, MAX_THREADS)) as step:
            place = first + step * MAX_THREADS + lane
            query = place // heads
            with T.If(place < end), T.Then():
                distance = positions[query] - first_keys[sequence]
                T.buffer_store(places, tirx.Cast("float32", distance), [query, place % heads])
    return builder.get()


def left(scope: Scope, query: Expr, head: Expr) -> Expr:
    """Returns how many positions a query is after the first key, which the kernel reads so."""
    return tirx.Cast("int32", tirx.BufferLoad(scope["lse"], [query, head]))
