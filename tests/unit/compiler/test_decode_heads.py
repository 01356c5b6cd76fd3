"""The kernels that decode compute every query head, however many share a key head."""

from __future__ import annotations

import pytest
import tvm
from tvm import relax

from tools import config
from tools.compiler.functions.decode_heads import KERNELS, covered_heads
from tools.compiler.functions.kv_cache import KVCacheConfig, add_kv_cache_function
from tools.compiler.tvm_startup import fast_stack


@pytest.mark.parametrize(
    ("device", "num_heads", "num_key_heads"),
    [
        # 9 do not fit into a block of 256 threads, and their half is not whole: StarCoder 2 7B.
        ("android", 36, 4),
        # 11, a half of 22, do not fit either: StarCoderBase 3B.
        ("webgpu", 22, 1),
        ("metal", 28, 4),
    ],
)
def test_every_head_is_computed(device, num_heads, num_key_heads):
    """In heads of 128, with a window and without."""
    target = tvm.target.Target(config.device(device).target)
    builder = relax.BlockBuilder()
    cache = KVCacheConfig(1, num_heads, num_key_heads, 128, "float16")
    with target, fast_stack():
        add_kv_cache_function(builder, "create", cache, target)
    module = builder.get()
    for name in KERNELS:
        assert covered_heads(module[name]) == num_heads
