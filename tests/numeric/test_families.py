"""The functions of a compiled library compute what the model is defined to compute."""

from __future__ import annotations

import pytest

from tests.numeric import families
from tests.numeric.tolerance import check

CASES = [
    (name, quantization)
    for name, model in families.selected().items()
    for quantization in model.quantizations
]


pytestmark = pytest.mark.parametrize("case", CASES, ids="-".join, indirect=True)


def test_prefill_and_decode(case, tokens):
    """Prefill, a second prefill onto a filled cache, then decoding token by token."""
    session, reference, tolerance = case
    expected = reference.logits(tokens[:90])
    session.add_sequence(0)
    for first, last in ((0, 37), (37, 84)):
        logits = session.forward("prefill", {0: tokens[first:last]})
        check(logits[0, 0], expected[last - 1], tolerance)
    for position in range(84, 90):
        logits = session.forward("decode", {0: tokens[position : position + 1]})
        check(logits[0, 0], expected[position], tolerance)


def test_batch_decode_of_forked_sequences(case, tokens):
    """Two sequences that share their beginning continue differently."""
    session, reference, tolerance = case
    session.add_sequence(0)
    session.forward("prefill", {0: tokens[:21]})
    session.fork_sequence(0, 1)
    logits = session.forward("batch_decode", {0: [3], 1: [500]}, one_token_each=True)
    for row, token in enumerate((3, 500)):
        check(logits[row, 0], reference.logits([*tokens[:21], token])[-1], tolerance)


def test_ragged_batch_prefill(case, tokens):
    """Sequences of unequal lengths in one call."""
    session, reference, tolerance = case
    sequences = {0: tokens[:5], 1: tokens[5:30], 2: tokens[30:31]}
    for sequence in sequences:
        session.add_sequence(sequence)
    logits = session.forward("batch_prefill", sequences, logit_positions=[4, 29, 30])
    for row, part in enumerate(sequences.values()):
        check(logits[0, row], reference.logits(part)[-1], tolerance)


def test_batch_verify(case, tokens):
    """Logits of every token, for speculative decoding."""
    session, reference, tolerance = case
    session.add_sequence(0)
    session.forward("prefill", {0: tokens[:10]})
    logits = session.forward("batch_verify", {0: tokens[10:17]})
    check(logits[0], reference.logits(tokens[:17])[10:], tolerance)
