"""The functions of a gemma's library compute what the model is defined to compute."""

from __future__ import annotations

import numpy as np
import pytest

from tests.numeric.reference import Gemma, Llama
from tests.numeric.session import Session
from tests.numeric.test_llama import (
    TOLERANCE,
    test_batch_decode_of_forked_sequences,
    test_batch_verify,
    test_prefill_and_decode,
    test_ragged_batch_prefill,
    tokens,
)

__all__ = [
    "test_batch_decode_of_forked_sequences",
    "test_batch_verify",
    "test_prefill_and_decode",
    "test_ragged_batch_prefill",
    "tokens",
]


@pytest.fixture(params=["q0f32", "q4f16_1"])
def case(request, load) -> tuple[Session, Gemma, float]:
    """A session with an empty cache, its reference and the tolerance of their difference."""
    session, reference = load("gemma", request.param)
    session.clear()
    return session, reference, TOLERANCE[request.param]


def test_embeddings_are_not_scaled_yet(case):
    """``embed`` returns rows of the table, as upstream's does: images are put between them."""
    session, reference, tolerance = case
    rows = np.array([3, 500])
    expected = Llama.embeddings(reference, rows)
    assert np.abs(session.call("embed", rows).numpy() - expected).max() <= tolerance / 10


def test_what_sets_it_apart_from_a_llama_matters(load):
    """The model could not pass the tests above without the scale, or with a llama's activation."""
    _, gemma = load("gemma", "q0f32")
    tokens = list(range(7, 30))
    expected = gemma.logits(tokens)
    for name in ("embeddings", "activation"):
        other = type("Other", (Gemma,), {name: getattr(Llama, name)})(gemma.config, gemma.weights)
        assert np.abs(other.logits(tokens) - expected).max() > 0.01
