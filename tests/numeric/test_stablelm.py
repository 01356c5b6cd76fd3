"""What sets a stablelm apart from a llama."""

from __future__ import annotations

import numpy as np

from tests.numeric.families.stablelm import StableLM


def test_the_rotated_part_matters(load):
    """The model could not pass the tests with all of each head rotated."""
    _, reference = load("stablelm", "q0f32")
    tokens = list(range(7, 30))
    full = StableLM({**reference.config, "partial_rotary_factor": 1.0}, reference.weights)
    assert np.abs(full.logits(tokens) - reference.logits(tokens)).max() > 0.1
