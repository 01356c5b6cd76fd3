"""Families that export hidden states, for speculative decoding, export the right ones."""

from __future__ import annotations

import numpy as np
import pytest

from tests.numeric import families
from tests.numeric.tolerance import check
from tools.compiler.families import FAMILIES

CASES = [
    (name, quantization)
    for name, model in families.selected().items()
    for quantization in model.quantizations
    if FAMILIES[model.model_type].model.exports_hidden_states and quantization[1:3] in ("0f", "4f")
]

__test__ = bool(CASES)
"""Of a family that has no hidden states pytest collects nothing here."""

pytestmark = pytest.mark.parametrize("case", CASES, ids="-".join, indirect=True)


@pytest.mark.parametrize("name", ["prefill", "batch_prefill", "batch_verify"])
def test_hidden_states_and_logits_of_them(case, tokens, name):
    """Hidden states, a selection of them, and logits made of those."""
    session, reference, tolerance = case
    session.add_sequence(0)
    states = session.forward(f"{name}_to_last_hidden_states", {0: tokens[:9]})
    assert np.abs(states[0] - reference.hidden_states(tokens[:9])).max() <= tolerance
    rows = np.array([8, 0])
    selected = session.call("batch_select_last_hidden_states", states[0], rows, parameters=False)
    logits = session.call("get_logits", selected).numpy()
    check(logits, reference.logits(tokens[:9])[rows], tolerance)


@pytest.mark.parametrize("name", ["decode", "batch_decode"])
def test_hidden_states_of_one_token(case, tokens, name):
    """The same for functions that take a token of each sequence."""
    session, reference, tolerance = case
    session.add_sequence(0)
    session.forward("prefill", {0: tokens[:9]})
    states = session.forward(f"{name}_to_last_hidden_states", {0: tokens[9:10]})
    assert np.abs(states[0] - reference.hidden_states(tokens[:10])[-1:]).max() <= tolerance
