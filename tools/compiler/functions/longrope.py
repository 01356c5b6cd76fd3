"""The rotary embedding of longrope, which has two factors a frequency: a short and a long one.

The long factors are taken for the tokens of a call in which their sequence passes the original
length, as Hugging Face's models do. What is in the cache stays as it was rotated.
"""

from __future__ import annotations

import math
from typing import Any

from tvm import tirx
from tvm.script import tirx as T  # noqa: N812


def attention_factor(rope_scaling: dict[str, Any]) -> float:
    """Returns what queries and keys are multiplied by, from the growth of the context's length."""
    original = rope_scaling["original_max_position_embeddings"]
    growth = rope_scaling["max_position_embeddings"] / original
    return math.sqrt(1 + math.log(growth) / math.log(original)) if growth > 1 else 1.0


def longrope_split_rotary(
    theta: float,
    head_dim: int,
    rotary_dim: int,
    num_query_heads: int,
    num_key_value_heads: int,
    dtype: str,
    rope_scaling: dict[str, Any],
) -> tirx.PrimFunc:
    """Returns the kernel ``(qkv, position_map, q, k, v, factors)`` that the KV cache calls.

    Args:
        theta: Base of the rotary embedding.
        head_dim: Length of a head.
        rotary_dim: How many of its dimensions are rotated, the first ones.
        num_query_heads: Number of query heads.
        num_key_value_heads: Number of key heads, and of value heads.
        dtype: dtype of the heads.
        rope_scaling: Has ``max_position_embeddings`` and ``original_max_position_embeddings``.

    Returns:
        A function of heads ``(tokens, heads, head_dim)``, positions ``(tokens,) int32``, outputs,
        and factors ``(rotary_dim,) float32``: the long ones, then the short ones.
    """
    half = rotary_dim // 2
    original = rope_scaling["original_max_position_embeddings"]
    amplitude = attention_factor(rope_scaling)
    heads = num_query_heads + 2 * num_key_value_heads
    rotated_heads = num_query_heads + num_key_value_heads

    def rotate(x, positions, factors, tokens, s, h, d):
        position = positions[s]
        # Positions of a sequence follow one another: the row in which this one's has the first
        # position past the original length, if this call goes that far. Where sequences share a
        # call, a row of the next one may happen to have that very position there; the long
        # factors are then taken too early, for one call.
        crossing = s + (original - position).astype("int64")
        crosses = tirx.if_then_else(
            tirx.all(crossing > s, crossing < tokens),
            positions[tirx.min(tirx.max(crossing, 0), tokens - 1)] == original,
            position >= original,
        )
        factor = tirx.if_then_else(crosses, factors[d % half], factors[half + d % half])
        exponent = (d % half * 2).astype("float32") / T.float32(rotary_dim)
        angle = position.astype("float32") / (factor * tirx.power(T.float32(theta), exponent))
        other = tirx.if_then_else(d < half, -x[s, h, d + half], x[s, h, d - half])
        cosine, sine = tirx.cos(angle), tirx.sin(angle)
        out = x[s, h, d].astype("float32") * cosine + other.astype("float32") * sine
        return (out * T.float32(amplitude)).astype(dtype)

    @T.prim_func(s_tir=True)
    def split_rotary(
        qkv_handle: T.handle,
        positions_handle: T.handle,
        q_handle: T.handle,
        k_handle: T.handle,
        v_handle: T.handle,
        factors: T.Buffer((rotary_dim,), "float32"),
    ):
        T.func_attr({"op_pattern": 8, "tirx.noalias": True})
        tokens, offset = T.int64(), T.int64()
        qkv = T.match_buffer(qkv_handle, (tokens, heads, head_dim), dtype)
        q = T.match_buffer(q_handle, (tokens, num_query_heads, head_dim), dtype)
        k = T.match_buffer(k_handle, (tokens, num_key_value_heads, head_dim), dtype)
        v = T.match_buffer(v_handle, (tokens, num_key_value_heads, head_dim), dtype)
        positions = T.match_buffer(positions_handle, (tokens,), "int32", elem_offset=offset)
        for iters in T.grid(tokens, heads, head_dim):
            with T.sblock("split_rotary"):
                s, h, d = T.axis.remap("SSS", iters)
                if h < num_query_heads:
                    q[s, h, d] = T.if_then_else(
                        d < rotary_dim,
                        rotate(qkv, positions, factors, tokens, s, h, d),
                        qkv[s, h, d],
                    )
                elif h < rotated_heads:
                    k[s, h - num_query_heads, d] = T.if_then_else(
                        d < rotary_dim,
                        rotate(qkv, positions, factors, tokens, s, h, d),
                        qkv[s, h, d],
                    )
                else:
                    v[s, h - rotated_heads, d] = qkv[s, h, d]

    return split_rotary
