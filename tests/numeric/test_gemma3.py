"""What sets a gemma3 apart from a gemma2."""

from __future__ import annotations

import numpy as np
import pytest

from tests.numeric.families.gemma3 import Gemma3


@pytest.mark.parametrize(
    "change",
    [
        {"query_pre_attn_scalar": 64},
        {"rope_local_base_freq": 1e4},
        {"rope_scaling": None},
        {"rope_theta": 1e6},
        {"sliding_window": 22},
        {"sliding_window_pattern": 3},
    ],
)
def test_every_field_matters(load, tokens, change):
    """The model could not pass the tests with another value."""
    _, reference = load("gemma3", "q0f32")
    expected = reference.logits(tokens[:90])
    config = {**reference.config, "text_config": {**reference.config["text_config"], **change}}
    other = Gemma3(config, reference.weights)
    assert np.abs(other.logits(tokens[:90]) - expected).max() > 1e-3
