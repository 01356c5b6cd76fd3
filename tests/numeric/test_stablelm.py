"""The functions of a stablelm's library compute what the model is defined to compute."""

from __future__ import annotations

import numpy as np
import pytest

from tests.numeric.reference import StableLM
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


CASES = [
    ("stablelm", "q0f32"),
    ("stablelm", "q4f16_1"),
    ("grouped_stablelm", "q0f32"),
    ("grouped_stablelm", "q4f16_1"),
]


@pytest.fixture(params=CASES, ids=["-".join(case) for case in CASES])
def case(request, load) -> tuple[Session, StableLM, float]:
    """A session with an empty cache, its reference and the tolerance of their difference."""
    model, quantization = request.param
    session, reference = load(model, quantization)
    session.clear()
    return session, reference, TOLERANCE[quantization]


def test_the_rotated_part_matters(load):
    """The model could not pass the tests above with all of each head rotated."""
    _, reference = load("stablelm", "q0f32")
    tokens = list(range(7, 30))
    full = StableLM({**reference.config, "partial_rotary_factor": 1.0}, reference.weights)
    assert np.abs(full.logits(tokens) - reference.logits(tokens)).max() > 0.1
