"""Sequences longer than the sliding window see the window's tokens and the sink's."""

from __future__ import annotations

import numpy as np
import pytest

from tests.numeric.families.mistral import Mistral
from tests.numeric.session import Session
from tests.numeric.tolerance import TOLERANCE

WINDOW = 40
# Less than a page of the cache, more than one, and none.
SINKS = [0, 4, 20]


@pytest.fixture(params=["q0f32", "q4f16_1"])
def case(request, load) -> tuple[Session, Mistral, float]:
    """A session with an empty cache, its reference and the tolerance of their difference."""
    session, reference = load("windowed_mistral", request.param)
    session.clear()
    return session, reference, TOLERANCE[request.param]


def check_close(result: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    """Without the order of the logits: among so many, some are equal but for float16."""
    assert result.shape == expected.shape
    assert np.abs(result - expected).max() <= tolerance


@pytest.fixture
def tokens() -> np.ndarray:
    return np.random.default_rng(2).integers(0, 517, 200)


def test_metadata(case):
    """What the runtime reads to create the cache and to slide."""
    metadata = case[0].metadata
    assert metadata["sliding_window_size"] == WINDOW
    assert metadata["attention_sink_size"] == 4
    assert metadata["context_window_size"] == -1
    assert metadata["prefill_chunk_size"] == 64


@pytest.mark.parametrize("sink", SINKS)
def test_prefills_and_decodes(case, tokens, sink):
    """Into the window, over its end, more than a window at once, then token by token."""
    session, reference, tolerance = case
    lengths = [30, 17, 50, *[1] * 60]
    expected = reference.windowed(WINDOW, sink, lengths).logits(tokens[: sum(lengths)])
    session.add_sequence(0)
    session.slide_sequence(0, sink)
    first = 0
    for length in lengths:
        name = "decode" if length == 1 else "prefill"
        logits = session.forward(name, {0: tokens[first : first + length]})
        first += length
        check_close(logits[0, 0], expected[first - 1], tolerance)


@pytest.mark.parametrize("sink", SINKS)
def test_batch(case, tokens, sink):
    """Sequences of unequal lengths, of which one slides, then both, then one without a window."""
    session, reference, tolerance = case
    sequences = {0: tokens[:36], 1: tokens[50:53], 2: tokens[60:68]}
    for sequence in sequences:
        session.add_sequence(sequence)
        if sequence != 2:
            session.slide_sequence(sequence, sink)
    session.forward("batch_prefill", sequences, logit_positions=[35, 38, 46])
    rows = []
    for step in range(50):
        new = {sequence: [int(tokens[100 + step + sequence])] for sequence in sequences}
        rows.append(session.forward("batch_decode", new, one_token_each=True)[:, 0])
    for sequence, prompt in sequences.items():
        following = tokens[100 + sequence : 150 + sequence]
        lengths = [len(prompt), *[1] * 50]
        window = WINDOW if sequence != 2 else len(tokens)
        expected = reference.windowed(window, sink, lengths).logits([*prompt, *following])
        check_close(np.array(rows)[:, sequence], expected[len(prompt) :], tolerance)


def test_verify_after_sliding(case, tokens):
    """Logits of several tokens that follow a full window."""
    session, reference, tolerance = case
    session.add_sequence(0)
    session.slide_sequence(0, 4)
    session.forward("prefill", {0: tokens[:60]})
    logits = session.forward("batch_verify", {0: tokens[60:67]})
    expected = reference.windowed(WINDOW, 4, [60, 7]).logits(tokens[:67])
    check_close(logits[0], expected[60:], tolerance)


def test_window_and_sink_matter(case, tokens):
    """The model could not pass the tests above with all of the context, or with another sink."""
    lengths = [60, *[1] * 30]
    every = case[1].logits(tokens[:90])[-1]
    results = [case[1].windowed(WINDOW, n, lengths).logits(tokens[:90])[-1] for n in SINKS]
    for index, result in enumerate(results):
        for other in [every, *results[:index]]:
            assert np.abs(result - other).max() > 0.1


def test_a_reference_that_masks(case, tokens):
    """With one token a pass, the reference is attention to a band, at the positions of the text."""
    reference = case[1].windowed(WINDOW, 0, [1] * 60)

    class Banded(Mistral):
        def passes(self, tokens):
            for token in range(tokens):
                yield list(range(max(0, token - WINDOW), token)), [token]

    banded = Banded(reference.config, reference.weights)
    expected = banded.logits(tokens[:60])
    assert np.abs(reference.logits(tokens[:60]) - expected).max() <= 1e-9
