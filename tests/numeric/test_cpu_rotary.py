"""A CPU's rotary embedding turns queries and keys by their position's angles, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
import tvm

from tools import config
from tools.compiler.functions import cpu_rotary

HEADS, GROUPS, HEAD_DIM, THETA = 3, 2, 24, 1e4
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-4), ("float16", 2e-3)])
@pytest.mark.parametrize("rotary_dim", [24, 8])
@pytest.mark.parametrize("rope_scaling", [{}, LLAMA3], ids=["plain", "llama3"])
@pytest.mark.parametrize("is_applied", [True, False])
def test_rotary(cpu_device, dtype, tolerance, rotary_dim, rope_scaling, is_applied):
    """Positions in any order; dimensions beyond the rotated ones, and values, stay as they are."""
    assert cpu_rotary.can_rotate(HEAD_DIM, rotary_dim, dtype, rope_scaling)
    kernel = cpu_rotary.split_rotary(
        HEADS, GROUPS, HEAD_DIM, rotary_dim, THETA, dtype, rope_scaling
    )
    module = tvm.IRModule({"main": kernel.with_attr("global_symbol", "main")})
    target = tvm.target.Target(config.device(cpu_device).target)
    run = tvm.tirx.build(module, target=target)["main"]
    positions = np.asarray([0, 7, 300, 2], np.int32)
    qkv = np.random.default_rng(0).standard_normal((4, HEADS + 2 * GROUPS, HEAD_DIM)).astype(dtype)
    results = [
        tvm.runtime.tensor(np.full((4, count, HEAD_DIM), np.nan, dtype))
        for count in (HEADS, GROUPS, GROUPS)
    ]
    run(tvm.runtime.tensor(qkv), tvm.runtime.tensor(positions), *results, int(is_applied))
    expected = qkv.astype(np.float64)
    if is_applied:
        turned = HEADS + GROUPS
        angles = positions[:, None, None] * frequencies(rotary_dim, rope_scaling)
        x, y = np.split(expected[:, :turned, :rotary_dim], 2, axis=-1)
        low = x * np.cos(angles) - y * np.sin(angles)
        high = y * np.cos(angles) + x * np.sin(angles)
        expected[:, :turned, :rotary_dim] = np.concatenate([low, high], axis=-1)
    result = np.concatenate([result.numpy() for result in results], axis=1)
    assert np.abs(result - expected).max() <= (tolerance if is_applied else 0)


def frequencies(rotary_dim: int, rope_scaling: dict) -> np.ndarray:
    """Returns what a position is multiplied by, as Llama 3's paper scales it."""
    plain = THETA ** -(np.arange(0, rotary_dim, 2) / rotary_dim)
    if not rope_scaling:
        return plain
    low, high = rope_scaling["low_freq_factor"], rope_scaling["high_freq_factor"]
    turns = rope_scaling["original_max_position_embeddings"] * plain / (2 * np.pi)
    share = np.clip((turns - low) / (high - low), 0, 1)
    return plain * (share + (1 - share) / rope_scaling["factor"])


@pytest.mark.parametrize(
    ("head_dim", "rotary_dim", "dtype", "rope_scaling"),
    [
        (64, 64, "bfloat16", {}),
        (64, 64, "float16", {"rope_type": "gptj"}),
        (64, 64, "float16", {"rope_type": "longrope"}),
        (64, 20, "float16", {}),
    ],
)
def test_what_is_left_to_other_kernels(head_dim, rotary_dim, dtype, rope_scaling):
    """Neighbours that are rotated, halves that are no vectors."""
    assert not cpu_rotary.can_rotate(head_dim, rotary_dim, dtype, rope_scaling)
