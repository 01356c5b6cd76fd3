"""The KV cache's kernel that merges the attention to two parts of a sequence, on a GPU."""

from __future__ import annotations

from tvm import tirx
from tvm.script import tirx as T  # noqa: N812

from tools.compiler.functions.threads import MAX_THREADS

VECTOR = 4
"""Elements of a head that a thread merges; divides the length of every head."""


def merge_state(num_heads: int, head_dim: int, dtype: str) -> tirx.PrimFunc:
    """Returns the kernel ``(V, S, V_other, S_other)``, which writes into ``V`` and ``S``.

    ``V`` is attention's output ``(tokens, num_heads, head_dim)`` of `dtype`, ``S`` the binary
    logarithm of its sum of exponentials, float32 ``(tokens, num_heads)``.

    It stands in for TVM's, whose threads store ``S`` while others have yet to read it (right only
    where all threads of a head run in lockstep), and which skips heads where it cannot halve their
    number into blocks.

    Args:
        num_heads: Number of query heads.
        head_dim: Length of a head.
        dtype: dtype of the heads.
    """
    lanes = head_dim // VECTOR
    heads = max(
        n for n in range(1, num_heads + 1) if num_heads % n == 0 and n * lanes <= MAX_THREADS
    )

    @T.prim_func(private=True, s_tir=True)
    def merge_state_inplace(
        v_handle: T.handle, s_handle: T.handle, v_other_handle: T.handle, s_other_handle: T.handle
    ):
        T.func_attr({"tirx.is_scheduled": True})
        tokens = T.int32()
        v = T.match_buffer(v_handle, (tokens, num_heads, head_dim), dtype)
        s = T.match_buffer(s_handle, (tokens, num_heads), "float32")
        v_other = T.match_buffer(v_other_handle, (tokens, num_heads, head_dim), dtype)
        s_other = T.match_buffer(s_other_handle, (tokens, num_heads), "float32")
        for token in T.thread_binding(tokens, thread="blockIdx.x"):
            for block in T.thread_binding(num_heads // heads, thread="blockIdx.y"):
                for thread in T.thread_binding(heads, thread="threadIdx.y"):
                    for lane in T.thread_binding(lanes, thread="threadIdx.x"):
                        with T.sblock("merge"):
                            # The head's entry of S, which only one thread reads and writes.
                            exponent = T.sblock_alloc_buffer((heads,), "float32", scope="shared")
                            # Both exponents, then their weights; the larger one; the sum.
                            state = T.sblock_alloc_buffer((4,), "float32", scope="local")
                            if lane == 0:
                                exponent[thread] = s[token, block * heads + thread]
                            T.tvm_storage_sync("shared")
                            state[0] = exponent[thread]
                            state[1] = s_other[token, block * heads + thread]
                            state[2] = T.max(state[0], state[1])
                            state[0] = T.exp2(state[0] - state[2])
                            state[1] = T.exp2(state[1] - state[2])
                            state[3] = state[0] + state[1]
                            for i in T.serial(VECTOR):
                                v[token, block * heads + thread, lane * VECTOR + i] = T.Cast(
                                    dtype,
                                    (
                                        v[token, block * heads + thread, lane * VECTOR + i]
                                        * state[0]
                                        + v_other[token, block * heads + thread, lane * VECTOR + i]
                                        * state[1]
                                    )
                                    / state[3],
                                )
                            if lane == 0:
                                s[token, block * heads + thread] = T.log2(state[3]) + state[2]

    return merge_state_inplace
