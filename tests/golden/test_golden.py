"""Checkpoint, conversion, library: the logits are those that transformers computes."""

from __future__ import annotations

import numpy as np
import pytest

from tests.golden import checkpoints
from tests.golden.cases import CASES, Case
from tests.golden.conftest import DATA
from tests.numeric.session import Session

TOLERANCE = {"q0f32": 1e-4, "q4f16_1": 2e-2}
"""Greatest difference, as a share of the logits' range."""


@pytest.fixture(
    params=[(name, quantization) for name in CASES for quantization in TOLERANCE],
    ids="-".join,
)
def golden(request, load) -> tuple[Session, Case, np.ndarray, float]:
    """A session with an empty cache, its case, the logits and their tolerance."""
    name, quantization = request.param
    session = load(name, quantization)
    session.clear()
    with np.load(DATA / f"{name}.npz") as file:
        logits = file[quantization]
    return session, CASES[name], logits, TOLERANCE[quantization] * np.ptp(logits)


def test_one_sequence(golden):
    """Two prefills, then tokens one by one; past a sliding window, past RoPE's original length."""
    session, case, expected, tolerance = golden
    session.add_sequence(0)
    if session.metadata["sliding_window_size"] != -1:
        session.slide_sequence(0, 0)
    text = checkpoints.tokens(sum(case.calls), 1)
    found = []
    for count in case.calls:
        part, text = text[:count], text[count:]
        found.append(session.forward("prefill" if count > 1 else "decode", {0: part})[0, 0])
    assert np.abs(found - expected[: len(found)]).max() <= tolerance


def test_ragged_batch(golden):
    """Sequences of unequal lengths in one call."""
    session, case, expected, tolerance = golden
    sequences = {
        number: checkpoints.tokens(count, seed)
        for number, (seed, count) in enumerate(enumerate(case.batch, 2))
    }
    for sequence in sequences:
        session.add_sequence(sequence)
    last = np.cumsum(case.batch) - 1
    found = session.forward("batch_prefill", sequences, logit_positions=last)
    assert np.abs(found[0] - expected[-len(sequences) :]).max() <= tolerance
