"""What sets a gemma apart from a llama."""

from __future__ import annotations

import numpy as np
import pytest

from tests.numeric.families.gemma import Gemma
from tests.numeric.families.llama import Llama


def test_embeddings_are_not_scaled_yet(load):
    """``embed`` returns rows of the table, as upstream's does: images are put between them."""
    session, reference = load("gemma", "q0f32")
    rows = np.array([3, 500])
    expected = Llama.embeddings(reference, rows)
    assert np.abs(session.call("embed", rows).numpy() - expected).max() <= 1e-5


@pytest.mark.parametrize("name", ["embeddings", "activation"])
def test_what_sets_it_apart_matters(load, name):
    """The model could not pass the tests without the scale, or with a llama's activation."""
    _, gemma = load("gemma", "q0f32")
    tokens = list(range(7, 30))
    other = type("Other", (Gemma,), {name: getattr(Llama, name)})(gemma.config, gemma.weights)
    assert np.abs(other.logits(tokens) - gemma.logits(tokens)).max() > 0.01
