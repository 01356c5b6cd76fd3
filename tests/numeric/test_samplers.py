"""The functions that sample on a device compute what MLC LLM's runtime expects.

Libraries for CPUs do not have them; here they are compiled for the CPU all the same.
"""

from __future__ import annotations

import numpy as np
import pytest
import tvm
from tvm import relax

from tools import config
from tools.compiler.build import generate
from tools.compiler.functions.samplers import ALL, add_samplers
from tools.compiler.pipeline import relax_pipeline


@pytest.fixture(scope="module")
def call(cpu_device):
    """A function ``(name, *arrays) -> array or list of arrays``."""
    target = tvm.target.Target(config.device(cpu_device).target)
    builder = relax.BlockBuilder()
    with target:
        add_samplers(builder, target, ALL)
        mod = relax_pipeline(target, {}, {})(builder.finalize())
        executable = generate(mod, target, None)
    machine = relax.VirtualMachine(executable, tvm.cpu())

    def call(name: str, *arrays: np.ndarray):
        result = machine[name](*[tvm.runtime.tensor(array) for array in arrays])
        if isinstance(result, tvm.runtime.Tensor):
            return result.numpy()
        return [tensor.numpy() for tensor in result]

    return call


def probabilities(rows: int, vocab_size: int, seed: int) -> np.ndarray:
    """Rows of very different sharpness, with zeros and equal values among them."""
    random = np.random.default_rng(seed)
    logits = random.standard_normal((rows, vocab_size)) * random.uniform(0.1, 8, (rows, 1))
    weights = np.exp(logits - logits.max(1, keepdims=True)).round(4)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def kept(row: np.ndarray, top_p: float) -> set[int]:
    """Indices of the fewest of the greatest probabilities that amount to top_p, and equal ones."""
    order = np.argsort(-row, kind="stable")
    enough = int(np.searchsorted(np.cumsum(row[order], dtype=np.float64), top_p - 1e-6))
    least = row[order[min(enough, len(row) - 1)]]
    return set(np.flatnonzero(row >= least))


@pytest.mark.parametrize("vocab_size", [1, 517, 9001])
def test_argsort(call, vocab_size):
    """The greatest first, with the tokens they are of; equal ones in their order."""
    probs = probabilities(3, vocab_size, 0)
    values, indices = call("argsort_probs", probs)
    assert np.array_equal(values, -np.sort(-probs))
    assert np.array_equal(np.take_along_axis(probs, indices, 1), values)
    assert np.array_equal(indices, np.argsort(-probs, axis=1, kind="stable"))


def test_argsort_of_what_is_no_number(call):
    """Every token is there once, so that nothing is read outside of the row."""
    probs = probabilities(2, 517, 0)
    probs[0, 3:400:7] = np.nan
    _, indices = call("argsort_probs", probs)
    assert np.array_equal(np.sort(indices, 1), [np.arange(517)] * 2)


@pytest.mark.parametrize("vocab_size", [1, 517, 9001])
def test_multinomial(call, vocab_size):
    """The token at which the sum of the probabilities passes the number; several of a row."""
    probs = probabilities(3, vocab_size, 1)
    uniform = np.random.default_rng(1).random(64, dtype=np.float32)
    rows = np.random.default_rng(2).integers(0, 3, 64).astype(np.int32)
    tokens = call("multinomial_from_uniform", probs, uniform, rows)
    assert tokens.dtype == np.int32
    for row, number, token in zip(rows, uniform.astype(np.float64), tokens, strict=True):
        sums = np.cumsum(probs[row], dtype=np.float64)
        assert probs[row, token] > 0
        assert sums[token] >= number - 1e-5
        assert sums[token] - probs[row, token] <= number + 1e-5


def test_multinomial_of_the_greatest_number(call):
    """Rounding leaves no number without a token, nor gives one to a token without probability."""
    probs = np.zeros((1, 300), np.float32)
    probs[0, 17:280] = np.float32(1 / 263)
    nearly_one = np.array([np.nextafter(np.float32(1), np.float32(0))])
    assert call("multinomial_from_uniform", probs, nearly_one, np.zeros(1, np.int32)) == [279]
    assert call("multinomial_from_uniform", probs, nearly_one * 0, np.zeros(1, np.int32)) == [17]


@pytest.mark.parametrize("top_p", [0.01, 0.5, 0.95, 1.0])
def test_sample_with_top_p(call, top_p):
    """Shares of the sum of what is kept, the greatest probability first."""
    sorted_probs, indices = call("argsort_probs", probabilities(3, 517, 3))
    uniform = np.linspace(0, 1, 64, endpoint=False, dtype=np.float32)
    rows = (np.arange(64) % 3).astype(np.int32)
    shares = np.full(3, top_p, np.float32)
    tokens = call("sample_with_top_p", sorted_probs, indices, uniform, rows, shares)
    for row, number, token in zip(rows, uniform, tokens, strict=True):
        sums = np.cumsum(sorted_probs[row], dtype=np.float64)
        last = int(np.searchsorted(sums, top_p - 1e-6))
        total = sums[min(last, 516)]
        (position,) = np.flatnonzero(indices[row] == token)
        assert position <= last
        assert sums[position] >= number * total - 1e-5
        assert sums[position] - sorted_probs[row, position] <= number * total + 1e-5


@pytest.mark.parametrize("vocab_size", [1, 517, 9001])
def test_renormalize_by_top_p(call, vocab_size):
    """What is not kept is 0, the rest in proportion; each row with a share of its own."""
    probs = probabilities(5, vocab_size, 4)
    shares = np.array([1e-6, 0.3, 0.9, 0.99, 1], np.float32)
    result = call("renormalize_by_top_p", probs, shares, np.zeros((5, 3), np.float32))
    for row, share, renormalized in zip(probs, shares, result, strict=True):
        tokens = np.flatnonzero(renormalized)
        fewest, most = kept(row, share - 1e-5), kept(row, share + 1e-5)
        assert fewest <= set(tokens)
        assert set(tokens) <= most
        assert np.allclose(renormalized[tokens], row[tokens] / row[tokens].sum(), rtol=1e-5)


def test_take_probs(call):
    """Of sampled tokens, and of elements of the sorted order."""
    probs = probabilities(3, 517, 5)
    _, indices = call("argsort_probs", probs)
    rows, tokens = np.array([2, 0, 2], np.int32), np.array([5, 0, 516], np.int32)
    offsets = np.array([0, 1, 517, 3 * 517 - 1], np.int32)
    sampled, top, top_indices = call("sampler_take_probs", probs, indices, rows, tokens, offsets)
    assert np.array_equal(sampled, probs[rows, tokens])
    assert np.array_equal(top_indices, indices.reshape(-1)[offsets])
    assert np.array_equal(top, probs[offsets // 517, top_indices])


def verified(draft, tokens, model, first_child, next_sibling, uniform, root) -> int:
    """The last node that is kept; changes `model`."""
    node, child = root, first_child[root]
    while child != -1:
        token = tokens[child]
        difference = np.maximum(model[node] - draft[child], 0)
        if model[node, token] >= uniform[child] * draft[child, token] or difference.sum() < 1e-7:
            node, child = child, first_child[child]
        else:
            model[node] = difference / difference.sum()
            child = next_sibling[child]
    return node


@pytest.mark.parametrize("seed", range(4))
def test_verify_draft_tokens(call, seed):
    """Kept nodes and the distributions that are left, of random trees side by side."""
    random = np.random.default_rng(seed)
    trees, size = 3, 8
    nodes = trees * size
    draft, model = probabilities(nodes, 517, 10 + seed), probabilities(nodes, 517, 20 + seed)
    # Some proposals are the model's own, which are always kept.
    draft[2] = model[0]
    uniform = random.random(nodes, dtype=np.float32)
    tokens = np.array([random.choice(517, p=row / row.sum()) for row in draft.astype(float)])
    first_child, next_sibling = np.full((2, nodes), -1, np.int32)
    for node in [n for n in range(nodes) if n % size]:
        parent = node - node % size + random.integers(0, node % size)
        next_sibling[node], first_child[parent] = first_child[parent], node
    roots = np.arange(0, nodes, size, dtype=np.int32)
    expected_model = model.astype(np.float64)
    arrays = (draft, tokens, expected_model, first_child, next_sibling, uniform)
    expected = [verified(*arrays, root) for root in roots]
    left, ends = call(
        "sampler_verify_draft_tokens",
        *(draft, tokens.astype(np.int32), model, first_child, next_sibling, uniform, roots),
    )
    assert ends.tolist() == expected
    assert np.abs(left - expected_model).max() <= 1e-5
