"""The functions of a mistral's library compute what the model is defined to compute."""

from __future__ import annotations

import pytest

from tests.numeric.reference import Mistral
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
def case(request, load) -> tuple[Session, Mistral, float]:
    """A session with an empty cache, its reference and the tolerance of their difference."""
    session, reference = load("mistral", request.param)
    session.clear()
    return session, reference, TOLERANCE[request.param]
