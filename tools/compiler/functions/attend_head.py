"""Attention of one head of a query on a CPU: the loops that its attention kernels share.

The lanes of a vector run along the head; the scores of a block of keys are exponentiated as one.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from tvm import tirx
from tvm.script.ir_builder import tirx as T  # noqa: N812

from tools.compiler.layers.lanes import everywhere, exp2, halved

BLOCK = 16
"""Keys whose scores are computed before their values are added up."""

_MASKED = -5e4

Row = Callable[[tirx.Expr], tuple]
"""Index of a key's token to the indices of its head in a buffer, all but the last."""


def attend_head(q, k, v, key_row: Row, value_row: Row, output, lse, query, count, sm_scale) -> None:
    """Emits the attention of one head of a query to `count` keys.

    Args:
        q: Queries.
        k: Keys.
        v: Values.
        key_row: Where a key is.
        value_row: Where a value is.
        output: Where the result goes.
        lse: Where the binary logarithm of the sum of exponentials goes.
        query: Indices of the head in `q`, `output` and `lse`.
        count: Number of keys, the first ones.
        sm_scale: Of the scores.
    """
    head_dim = int(q.shape[-1])
    lanes = lanes_of_head(head_dim)
    places = [tirx.Ramp(first, 1, lanes) for first in range(0, head_dim, lanes)]
    wide = f"float32x{lanes}"
    all_scores = tirx.Ramp(0, 1, BLOCK)
    scaled = T.alloc_buffer([head_dim], "float32")
    out = T.alloc_buffer([head_dim], "float32")
    scores = T.alloc_buffer([BLOCK], "float32")
    # The largest score, and the sum of exponentials.
    state = T.alloc_buffer([2], "float32")
    factor = T.bind(sm_scale * T.float32(math.log2(math.e)))
    for place in places:
        value = q[(*query, place)].astype(wide) * tirx.Broadcast(factor, lanes)
        T.buffer_store(scaled, value, [place])
        T.buffer_store(out, everywhere(0, lanes), [place])
    T.buffer_store(state, T.float32(_MASKED), [0])
    T.buffer_store(state, T.float32(1), [1])
    with T.serial(0, (count + BLOCK - 1) // BLOCK) as block:
        first = T.bind(block * BLOCK)
        filled = T.bind(tirx.min(count - first, BLOCK))
        T.buffer_store(scores, everywhere(_MASKED, BLOCK), [all_scores])
        with T.serial(0, filled) as i:
            row = key_row(first + i)
            products = [k[(*row, place)].astype(wide) * scaled[place] for place in places]
            T.buffer_store(scores, halved(sum(products[1:], products[0]), lanes), [i])
        largest = T.bind(tirx.max(state[0], halved(scores[all_scores], BLOCK, tirx.Max)))
        rescale = T.bind(tirx.exp2(state[0] - largest))
        T.buffer_store(state, largest, [0])
        exponents = scores[all_scores] - tirx.Broadcast(largest, BLOCK)
        T.buffer_store(scores, exp2(exponents, BLOCK), [all_scores])
        total = halved(scores[all_scores], BLOCK)
        T.buffer_store(state, state[1] * rescale + total, [1])
        for place in places:
            T.buffer_store(out, out[place] * tirx.Broadcast(rescale, lanes), [place])
        with T.serial(0, filled) as i:
            row = value_row(first + i)
            for place in places:
                value = v[(*row, place)].astype(wide) * tirx.Broadcast(scores[i], lanes)
                T.buffer_store(out, out[place] + value, [place])
    for place in places:
        value = out[place] / tirx.Broadcast(state[1], lanes)
        T.buffer_store(output, value.astype(f"{output.dtype}x{lanes}"), [*query, place])
    T.buffer_store(lse, state[0] + tirx.log2(state[1]), [*query])


def lanes_of_head(head_dim: int) -> int:
    """Returns how many elements of a head a vector has."""
    return math.gcd(head_dim, 16)
