"""The CPU's attention kernels are right, whatever the length of heads and of sequences."""

from __future__ import annotations

import numpy as np
import pytest
import tvm
from tvm import tirx

from tools import config
from tools.compiler.functions import cpu_attention

HEADS, GROUPS, SCALE = 4, 2, 0.3


def attention(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the output, and the binary logarithms of the sums; the last query sees all keys."""
    k, v = (np.repeat(x.astype(np.float64), HEADS // GROUPS, axis=1) for x in (k, v))
    scores = np.einsum("qhd,khd->hqk", q.astype(np.float64), k) * SCALE
    seen = np.tri(len(q), len(k), len(k) - len(q))
    exponentials = np.where(seen, np.exp(scores), 0)
    sums = exponentials.sum(-1)
    output = np.einsum("hqk,khd->qhd", exponentials / sums[..., None], v)
    return output, np.log2(sums).T


@pytest.mark.parametrize(("head_dim", "dtype"), [(64, "float16"), (20, "float32"), (80, "float32")])
def test_attention(cpu_device, head_dim, dtype):
    """Two sequences, pages in any order, and what lies behind the last token is not read."""
    target = tvm.target.Target(config.device(cpu_device).target)
    kernels = {
        name: make(HEADS, GROUPS, head_dim, dtype).with_attr("global_symbol", name)
        for name, make in cpu_attention.KERNELS.items()
    }
    library = tirx.build(tvm.IRModule(kernels), target=target)
    random = np.random.default_rng(0)
    lengths, queries = [37, 16], [5, 16]
    keys, values, pages, numbers = [], [], [], []
    order = random.permutation(4)
    cache = np.full((4, 2, GROUPS, cpu_attention.PAGE_SIZE, head_dim), np.nan, dtype)
    for length in lengths:
        k, v = random.standard_normal((2, length, GROUPS, head_dim)).astype(dtype)
        for token in range(length):
            page, place = divmod(token, cpu_attention.PAGE_SIZE)
            number = order[len(pages) + page]
            cache[number, 0, :, place], cache[number, 1, :, place] = k[token], v[token]
        pages += [0] * -(-length // cpu_attention.PAGE_SIZE)
        numbers.append(len(pages))
        keys.append(k)
        values.append(v)
    page_indptr = [0, *numbers]
    last_page_lengths = [(length - 1) % cpu_attention.PAGE_SIZE + 1 for length in lengths]
    paged = [cache, page_indptr, order, last_page_lengths]

    def check(name: str, counts: list[int], before: list, after: list, *, is_causal: bool) -> None:
        q = random.standard_normal((sum(counts), HEADS, head_dim)).astype(dtype)
        output = tvm.runtime.tensor(np.full(q.shape, np.nan, dtype))
        lse = tvm.runtime.tensor(np.full(q.shape[:2], np.nan, np.float32))
        positions = [0] * sum(counts)
        middle = [[0, 0], positions] if name != "tir_attention_prefill_ragged_cpu" else []
        arrays = [q, *before, *after, *(middle or [positions, [0, 0]])]
        tensors = [
            tvm.runtime.tensor(a if isinstance(a, np.ndarray) and a.dtype == dtype else _int32(a))
            for a in arrays
        ]
        library[name](*tensors, output, lse, *([1] if is_causal else []), 0, 1.0, 1e4, SCALE)
        for sequence, end in enumerate(np.cumsum(counts)):
            part = slice(end - counts[sequence], end)
            expected = attention(q[part], keys[sequence], values[sequence])
            tolerance = 2e-3 if dtype == "float16" else 1e-5
            assert np.abs(output.numpy()[part] - expected[0]).max() <= tolerance
            assert np.abs(lse.numpy()[part] - expected[1]).max() <= 1e-4

    check("tir_attention_decode_cpu", [1, 1], [], paged, is_causal=False)
    check("tir_attention_prefill_cpu", queries, [[0, 5, 21]], paged, is_causal=True)
    ragged = [np.concatenate(keys), np.concatenate(values), [0, 37, 53]]
    check("tir_attention_prefill_ragged_cpu", queries, [[0, 5, 21]], ragged, is_causal=True)


def _int32(values) -> np.ndarray:
    return np.asarray(values, np.int32)
