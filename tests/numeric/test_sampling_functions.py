"""The functions between logits and a sampler compute what MLC LLM's runtime expects."""

from __future__ import annotations

import numpy as np
import pytest

from tests.numeric.session import Session

LOWEST = np.finfo(np.float32).min


@pytest.fixture
def session(load) -> Session:
    return load("grouped", "q0f32")[0]


def softmax(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


@pytest.mark.parametrize("vocab_size", [1, 517, 4096, 9001])
def test_softmax_with_temperature(session, vocab_size):
    """Any vocabulary size, with a temperature of its own for each row."""
    random = np.random.default_rng(2)
    logits = (random.standard_normal((3, 1, vocab_size)) * 10).astype(np.float32)
    temperatures = np.array([0.7, 1.0, 2.5], np.float32)
    result = session.call(
        "softmax_with_temperature", logits, temperatures, parameters=False
    ).numpy()
    expected = softmax(logits.astype(np.float64) / temperatures[:, None, None])
    assert np.abs(result - expected).max() <= 1e-6
    assert np.allclose(result.sum(-1), 1, atol=1e-5)


def test_temperature_zero_takes_the_largest(session):
    """All probability on the largest logit; equal ones share."""
    logits = np.array([[[1, 3, 3, 2]], [[-5, -9, -5.000001, -7]]], np.float32)
    result = session.call(
        "softmax_with_temperature", logits, np.zeros(2, np.float32), parameters=False
    ).numpy()
    assert result.tolist() == [[[0, 0.5, 0.5, 0]], [[1, 0, 0, 0]]]


def test_inactive_tokens_have_no_probability(load):
    """Logits beyond active_vocab_size do not count, however large."""
    session, _ = load("multi_head", "q0f32")
    logits = np.zeros((1, 1, 517), np.float32)
    logits[0, 0, 500:] = 1000
    result = session.call(
        "softmax_with_temperature", logits, np.ones(1, np.float32), parameters=False
    ).numpy()
    assert np.allclose(result[0, 0, :500], 1 / 500)
    assert not result[0, 0, 500:].any()


def test_logit_bias(session):
    """Adds a bias to single tokens, in place."""
    logits = session.tensor(np.zeros((2, 9), np.float32))
    session.call(
        "apply_logit_bias_inplace",
        logits,
        np.array([1, 0, 1]),
        np.array([8, 2, 3]),
        np.array([0.5, -1, 2], np.float32),
        parameters=False,
    )
    expected = np.zeros((2, 9))
    expected[1, 8], expected[0, 2], expected[1, 3] = 0.5, -1, 2
    assert np.array_equal(logits.numpy(), expected)


def test_penalty(session):
    """Presence, frequency and repetition penalties, by way of both index arrays."""
    logits = session.tensor(np.array([[9, 9, 9], [1, -2, 3], [4, 5, 6]], np.float32))
    session.call(
        "apply_penalty_inplace",
        logits,
        np.array([2, 1]),
        np.array([0, 1, 1]),
        np.array([0, 1, 2]),
        np.array([3, 1, 2]),
        np.array([[0.5, 0.25, 2], [1, 0.5, 4]], np.float32),
        parameters=False,
    )
    expected = [[9, 9, 9], [1, (-2 - 1 - 0.5) * 4, (3 - 1 - 1) / 4], [(4 - 0.5 - 0.75) / 2, 5, 6]]
    assert np.allclose(logits.numpy(), expected)


def test_bitmask(session):
    """Tokens whose bit is 0 get the lowest float; rows that are not named stay."""
    random = np.random.default_rng(3)
    logits = random.standard_normal((3, 70)).astype(np.float32)
    allowed = random.integers(0, 2, (3, 70))
    words = np.zeros((3, 3), np.uint32)
    for token in range(70):
        words[:, token // 32] |= (allowed[:, token] << (token % 32)).astype(np.uint32)
    tensor = session.tensor(logits)
    arguments = (tensor, np.array([2, 0]), words.view(np.int32))
    session.call("apply_bitmask_inplace", *arguments, parameters=False)
    expected = np.where(allowed == 1, logits, LOWEST)
    expected[1] = logits[1]
    assert np.array_equal(tensor.numpy(), expected)


@pytest.mark.parametrize("name", ["probs", "hidden_states"])
def test_gather_and_scatter(session, name):
    """Rows go to and come from where the indices say."""
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    indices = np.array([3, 1])
    few = session.tensor(np.zeros((2, 3), np.float32))
    session.call(f"gather_{name}", rows, indices, few, parameters=False)
    assert np.array_equal(few.numpy(), rows[indices])
    many = session.tensor(np.zeros((4, 3), np.float32))
    session.call(f"scatter_{name}", rows[:2], indices, many, parameters=False)
    expected = np.zeros((4, 3))
    expected[indices] = rows[:2]
    assert np.array_equal(many.numpy(), expected)


def test_alloc_embedding_tensor(session):
    """A tensor for one prefill chunk."""
    tensor = session.function("alloc_embedding_tensor")()
    assert tuple(tensor.shape) == (64, 256)
    assert str(tensor.dtype) == "float32"
