"""The kernel that merges attention covers every head, whatever their number."""

from __future__ import annotations

import pytest
from tvm import tirx

from tools.compiler.functions.merge_state import VECTOR, merge_state
from tools.compiler.functions.threads import MAX_THREADS


@pytest.mark.parametrize(
    ("num_heads", "head_dim"), [(4, 64), (25, 64), (28, 128), (32, 80), (71, 64), (8, 256)]
)
def test_every_head_is_merged(num_heads, head_dim):
    """Also where their number is odd and too large for one block of threads."""
    loop, extents = merge_state(num_heads, head_dim, "float16").body.block.body, {}
    while isinstance(loop, tirx.For):
        extents[loop.thread_binding.thread_tag] = loop.extent
        loop = loop.body
    threads = int(extents["threadIdx.x"]) * int(extents["threadIdx.y"])
    assert threads <= MAX_THREADS
    assert threads * int(extents["blockIdx.y"]) * VECTOR == num_heads * head_dim
