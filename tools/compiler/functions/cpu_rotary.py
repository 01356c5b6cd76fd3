"""The KV cache's rotary embedding on a CPU.

It stands in for TVM's kernel, which has one thread compute a power, a sine and a cosine for every
number of every head. Here a token's angles are computed once for all of its heads, which are
rotated as vectors; tokens are on threads.
"""

from __future__ import annotations

import math
from typing import Any

from tvm import tirx
from tvm.relax.frontend.nn.llm.position_embedding import switch_rope_freq_func
from tvm.script import tirx as T  # noqa: N812
from tvm.script.ir_builder import tirx as builder

from tools.compiler.layers.lanes import neighbours


def can_rotate(head_dim: int, rotary_dim: int, dtype: str, rope_scaling: dict[str, Any]) -> bool:
    """Returns whether halves of what is rotated, and the rest, are whole vectors of a known dtype.

    Args:
        head_dim: Length of a head.
        rotary_dim: How many of its dimensions, the first ones, are rotated.
        dtype: dtype of the heads.
        rope_scaling: How positions are scaled.
    """
    is_halved = rope_scaling.get("rope_type") not in ("gptj", "longrope")
    is_whole = not rotary_dim % 2 and _lanes(head_dim, rotary_dim) >= 4
    return is_halved and is_whole and dtype in ("float16", "float32")


def split_rotary(
    heads: int,
    groups: int,
    head_dim: int,
    rotary_dim: int,
    theta: float,
    dtype: str,
    rope_scaling: dict[str, Any],
) -> tirx.PrimFunc:
    """Returns the kernel that cuts heads into queries, keys and values, and rotates the former two.

    Args:
        heads: Number of query heads.
        groups: Number of key heads, and of value heads.
        head_dim: Length of a head.
        rotary_dim: How many of its dimensions, the first ones, are rotated.
        theta: Base of the rotary embedding.
        dtype: dtype of the heads.
        rope_scaling: How positions are scaled.
    """

    def rotate(*arguments) -> None:
        _rotate_token(*arguments, rotary_dim, theta, rope_scaling)

    @T.prim_func(s_tir=True)
    def fused_rope(
        qkv_handle: T.handle,
        position_map_handle: T.handle,
        q_handle: T.handle,
        k_handle: T.handle,
        v_handle: T.handle,
        apply_rope: T.int64,
    ):
        T.func_attr({"op_pattern": 8, "tirx.is_scheduled": True, "tirx.noalias": True})
        tokens, position_offset = T.int32(), T.int32()
        qkv = T.match_buffer(qkv_handle, (tokens, heads + 2 * groups, head_dim), dtype)
        q = T.match_buffer(q_handle, (tokens, heads, head_dim), dtype)
        k = T.match_buffer(k_handle, (tokens, groups, head_dim), dtype)
        v = T.match_buffer(v_handle, (tokens, groups, head_dim), dtype)
        position_map = T.match_buffer(
            position_map_handle, (tokens,), "int32", elem_offset=position_offset
        )
        for token in T.parallel(tokens):
            rotate(qkv, q, k, v, token, position_map[token], apply_rope)

    return fused_rope


def _rotate_token(
    qkv, q, k, v, token, position, apply_rope, rotary_dim: int, theta: float, rope_scaling: dict
) -> None:
    heads, groups, head_dim = (int(size) for size in (q.shape[1], k.shape[1], q.shape[2]))
    half, lanes = rotary_dim // 2, _lanes(head_dim, rotary_dim)
    cosines = builder.alloc_buffer([half], "float32")
    sines = builder.alloc_buffer([half], "float32")
    with builder.serial(0, half) as i:
        # Without a position to apply nothing turns.
        for which, (buffer, still) in enumerate(((cosines, 1), (sines, 0))):
            *numbers, values = switch_rope_freq_func(rope_scaling)(
                position.astype("float32"), i, rotary_dim, theta, "float32"
            )
            number = numbers[which]
            for variable, value in values.items():
                number = tirx.Let(variable, value, number)
            number = tirx.if_then_else(apply_rope > 0, number, builder.float32(still))
            builder.buffer_store(buffer, number, [i])
    for out, first, count in ((q, 0, heads), (k, heads, groups)):
        with builder.serial(0, count) as head:
            source, target = [token, first + head], [token, head]
            for place in range(0, half, lanes):
                low, high = neighbours(place, lanes), neighbours(half + place, lanes)
                x = builder.bind(qkv[(*source, low)].astype(f"float32x{lanes}"))
                y = builder.bind(qkv[(*source, high)].astype(f"float32x{lanes}"))
                turned = x * cosines[low] - y * sines[low], y * cosines[low] + x * sines[low]
                for index, value in zip((low, high), turned, strict=True):
                    builder.buffer_store(
                        out, value.astype(f"{out.dtype}x{lanes}"), [*target, index]
                    )
            _copy(qkv, out, source, target, range(rotary_dim, head_dim, lanes), lanes)
    with builder.serial(0, groups) as head:
        source = [token, heads + groups + head]
        _copy(qkv, v, source, [token, head], range(0, head_dim, lanes), lanes)


def _copy(source, target, from_place: list, to_place: list, starts: range, lanes: int) -> None:
    for start in starts:
        index = neighbours(start, lanes)
        builder.buffer_store(target, source[(*from_place, index)], [*to_place, index])


def _lanes(head_dim: int, rotary_dim: int) -> int:
    """Returns how many elements a vector has."""
    return math.gcd(math.gcd(head_dim, rotary_dim // 2), 16)
