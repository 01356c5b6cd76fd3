"""Long RoPE chooses a phi3's factors by where a sequence is, in each call."""

from __future__ import annotations

import numpy as np
import pytest

from tests.numeric.tolerance import TOLERANCE, check


@pytest.fixture
def phi3_long(load):
    """A model whose original length, 48, is passed by these tests."""
    session, reference = load("phi3_long", "q0f32")
    session.clear()
    return session, reference


def test_long_rope_beyond_the_original_length(phi3_long, tokens):
    """Calls that pass the original length take the long factors, those before the short ones."""
    session, reference = phi3_long
    lengths = [37, 30, 20, *[1] * 8]
    expected = reference.logits_of_calls(tokens[:95], lengths)
    session.add_sequence(0)
    last = 0
    for length in lengths:
        first, last = last, last + length
        logits = session.forward("prefill" if length > 1 else "decode", {0: tokens[first:last]})
        check(logits[0, 0], expected[last - 1], TOLERANCE["q0f32"])


def test_long_rope_is_chosen_for_each_sequence(phi3_long, tokens):
    """Of sequences in one call only those that pass the original length take the long factors."""
    session, reference = phi3_long
    parts = {0: tokens[:20], 1: tokens[20:90], 2: tokens[70:118]}
    for sequence in parts:
        session.add_sequence(sequence)
    logits = session.forward(
        "batch_verify", {sequence: part[:35] for sequence, part in parts.items()}
    )
    assert logits.shape == (1, 20 + 35 + 35, 517)
    rest = {sequence: part[35:] for sequence, part in parts.items() if len(part) > 35}
    logits = session.forward("batch_prefill", rest, logit_positions=[34, 34 + 13])
    for row, (sequence, part) in enumerate(rest.items()):
        expected = reference.logits_of_calls(parts[sequence], [35, len(part)])[-1]
        check(logits[0, row], expected, TOLERANCE["q0f32"])


def test_the_long_factors_matter(phi3_long, tokens):
    """The tests above could not be passed with the short factors alone."""
    _, reference = phi3_long
    whole = reference.logits(tokens[:70])[-1]
    in_parts = reference.logits_of_calls(tokens[:70], [40, 30])[-1]
    assert np.abs(whole - in_parts).max() > 0.1
