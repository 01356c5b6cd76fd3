"""The KV cache's attention kernels for CPUs.

They stand in for TVM's, which work on single numbers with one thread. Here a thread takes heads of
queries, and computes with vectors. They are for a cache without a sliding window, which applies the
rotary embedding itself; one with a window leaves that to its kernels.
"""

from __future__ import annotations

from tvm import tirx
from tvm.script import tirx as T  # noqa: N812

from tools.compiler.functions.attend_head import Row, attend_head, lanes_of_head

PAGE_SIZE = 16
"""Tokens of a page of the cache."""


def can_attend(head_dim: int, dtype: str) -> bool:
    """Returns whether heads are whole vectors, of a dtype that kernels are written for."""
    return lanes_of_head(head_dim) >= 4 and dtype in ("float16", "float32")


def decode(heads: int, groups: int, head_dim: int, dtype: str) -> tirx.PrimFunc:
    """Returns the kernel for one token of each sequence, whose keys are in the cache's pages.

    Args:
        heads: Number of query heads.
        groups: Number of key heads, and of value heads.
        head_dim: Length of a head.
        dtype: dtype of the heads.
    """

    @T.prim_func(private=True, s_tir=True)
    def attention_decode(
        q_handle: T.handle,
        pages_handle: T.handle,
        page_indptr_handle: T.handle,
        page_values_handle: T.handle,
        length_info_handle: T.handle,
        k_rope_pos_offset: T.handle,
        q_rope_position: T.handle,
        output_handle: T.handle,
        lse_handle: T.handle,
        rotary_mode: T.int32,
        rope_scale: T.float32,
        rope_theta: T.float32,
        sm_scale: T.float32,
    ):
        T.func_attr({"tirx.is_scheduled": True, "tirx.noalias": True})
        batch, pages_of_all, num_pages = T.int32(), T.int32(), T.int32()
        indptr_offset, values_offset, length_offset = T.int32(), T.int32(), T.int32()
        q = T.match_buffer(q_handle, (batch, heads, head_dim), dtype)
        pages = T.match_buffer(pages_handle, (num_pages, 2, groups, PAGE_SIZE, head_dim), dtype)
        page_indptr = T.match_buffer(
            page_indptr_handle, (batch + 1,), "int32", elem_offset=indptr_offset
        )
        page_values = T.match_buffer(
            page_values_handle, (pages_of_all,), "int32", elem_offset=values_offset
        )
        length_info = T.match_buffer(
            length_info_handle, (batch,), "int32", elem_offset=length_offset
        )
        output = T.match_buffer(output_handle, (batch, heads, head_dim), dtype)
        lse = T.match_buffer(lse_handle, (batch, heads), "float32")
        for task in T.parallel(batch * heads):
            sequence: T.let[T.int32] = task // heads
            head: T.let[T.int32] = task % heads
            count: T.let[T.int32] = _tokens(page_indptr, length_info, sequence)
            attend_head(
                q,
                pages,
                pages,
                *_paged(page_values, page_indptr[sequence], head // (heads // groups)),
                output,
                lse,
                (sequence, head),
                count,
                sm_scale,
            )

    return attention_decode


def prefill_paged(heads: int, groups: int, head_dim: int, dtype: str) -> tirx.PrimFunc:
    """Returns the kernel for several tokens of each sequence, whose keys are in the cache's pages.

    Its arguments are those of `decode`.
    """

    @T.prim_func(private=True, s_tir=True)
    def attention_prefill(
        q_handle: T.handle,
        q_indptr_handle: T.handle,
        pages_handle: T.handle,
        page_indptr_handle: T.handle,
        page_values_handle: T.handle,
        length_info_handle: T.handle,
        k_rope_pos_offset: T.handle,
        q_rope_position: T.handle,
        output_handle: T.handle,
        lse_handle: T.handle,
        causal: T.int32,
        rotary_mode: T.int32,
        rope_scale: T.float32,
        rope_theta: T.float32,
        sm_scale: T.float32,
    ):
        T.func_attr({"tirx.is_scheduled": True, "tirx.noalias": True})
        batch, tokens, pages_of_all, num_pages = T.int32(), T.int32(), T.int32(), T.int32()
        q_offset, indptr_offset = T.int32(), T.int32()
        values_offset, length_offset = T.int32(), T.int32()
        q = T.match_buffer(q_handle, (tokens, heads, head_dim), dtype)
        q_indptr = T.match_buffer(q_indptr_handle, (batch + 1,), "int32", elem_offset=q_offset)
        pages = T.match_buffer(pages_handle, (num_pages, 2, groups, PAGE_SIZE, head_dim), dtype)
        page_indptr = T.match_buffer(
            page_indptr_handle, (batch + 1,), "int32", elem_offset=indptr_offset
        )
        page_values = T.match_buffer(
            page_values_handle, (pages_of_all,), "int32", elem_offset=values_offset
        )
        length_info = T.match_buffer(
            length_info_handle, (batch,), "int32", elem_offset=length_offset
        )
        output = T.match_buffer(output_handle, (tokens, heads, head_dim), dtype)
        lse = T.match_buffer(lse_handle, (tokens, heads), "float32")
        for sequence in T.serial(batch):
            first: T.let[T.int32] = q_indptr[sequence]
            queries: T.let[T.int32] = q_indptr[sequence + 1] - first
            keys: T.let[T.int32] = _tokens(page_indptr, length_info, sequence)
            for task in T.parallel(heads * queries):
                head: T.let[T.int32] = task // queries
                query: T.let[T.int32] = task % queries
                attend_head(
                    q,
                    pages,
                    pages,
                    *_paged(page_values, page_indptr[sequence], head // (heads // groups)),
                    output,
                    lse,
                    (first + query, head),
                    _seen(causal, query, queries, keys),
                    sm_scale,
                )

    return attention_prefill


def prefill_ragged(heads: int, groups: int, head_dim: int, dtype: str) -> tirx.PrimFunc:
    """Returns the kernel for several tokens of each sequence, whose keys are theirs alone.

    Its arguments are those of `decode`.
    """

    @T.prim_func(private=True, s_tir=True)
    def attention_prefill_ragged(
        q_handle: T.handle,
        q_indptr_handle: T.handle,
        k_handle: T.handle,
        v_handle: T.handle,
        kv_indptr_handle: T.handle,
        q_rope_position: T.handle,
        rope_offset_handle: T.handle,
        output_handle: T.handle,
        lse_handle: T.handle,
        causal: T.int32,
        rotary_mode: T.int32,
        rope_scale: T.float32,
        rope_theta: T.float32,
        sm_scale: T.float32,
    ):
        T.func_attr({"tirx.is_scheduled": True, "tirx.noalias": True})
        batch, tokens, kv_tokens = T.int32(), T.int32(), T.int32()
        q_offset, kv_offset, rope_offset = T.int32(), T.int32(), T.int32()
        # Not read; it has the number of sequences.
        T.match_buffer(rope_offset_handle, (batch,), "int32", elem_offset=rope_offset)
        q = T.match_buffer(q_handle, (tokens, heads, head_dim), dtype)
        q_indptr = T.match_buffer(q_indptr_handle, (batch + 1,), "int32", elem_offset=q_offset)
        k = T.match_buffer(k_handle, (kv_tokens, groups, head_dim), dtype)
        v = T.match_buffer(v_handle, (kv_tokens, groups, head_dim), dtype)
        kv_indptr = T.match_buffer(kv_indptr_handle, (batch + 1,), "int32", elem_offset=kv_offset)
        output = T.match_buffer(output_handle, (tokens, heads, head_dim), dtype)
        lse = T.match_buffer(lse_handle, (tokens, heads), "float32")
        for sequence in T.serial(batch):
            first: T.let[T.int32] = q_indptr[sequence]
            queries: T.let[T.int32] = q_indptr[sequence + 1] - first
            first_key: T.let[T.int32] = kv_indptr[sequence]
            keys: T.let[T.int32] = kv_indptr[sequence + 1] - first_key
            for task in T.parallel(heads * queries):
                head: T.let[T.int32] = task // queries
                query: T.let[T.int32] = task % queries
                attend_head(
                    q,
                    k,
                    v,
                    *_ragged(first_key, head // (heads // groups)),
                    output,
                    lse,
                    (first + query, head),
                    _seen(causal, query, queries, keys),
                    sm_scale,
                )

    return attention_prefill_ragged


KERNELS = {
    "tir_attention_decode_cpu": decode,
    "tir_attention_prefill_cpu": prefill_paged,
    "tir_attention_prefill_ragged_cpu": prefill_ragged,
}
"""What stands in for TVM's kernels, by their names in the module of `TIRPagedKVCache`."""


def _tokens(page_indptr, length_info, sequence) -> tirx.Expr:
    """Returns how many tokens of a sequence are in the cache."""
    pages = page_indptr[sequence + 1] - page_indptr[sequence]
    filled = (pages - 1) * PAGE_SIZE + length_info[sequence]
    return tirx.Select(pages > 0, filled, tirx.const(0, "int32"))


def _seen(causal, query, queries, keys) -> tirx.Expr:
    """Returns how many keys a query sees; the last query sees all."""
    return tirx.Select(causal > 0, tirx.max(keys - queries + query + 1, 0), keys)


def _paged(page_values, first_page, group) -> tuple[Row, Row]:
    """Returns where keys and values are, in the cache's pages."""

    def row(which: int) -> Row:
        return lambda key: (
            page_values[first_page + key // PAGE_SIZE],
            which,
            group,
            key % PAGE_SIZE,
        )

    return row(0), row(1)


def _ragged(first_key, group) -> tuple[Row, Row]:
    """Returns where keys and values are, outside of the cache."""
    return (lambda key: (first_key + key, group),) * 2
