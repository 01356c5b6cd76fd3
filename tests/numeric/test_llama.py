"""What sets a llama's variants apart matters, and weights of another model are refused."""

from __future__ import annotations

import copy

import numpy as np
import pytest


def test_rope_scaling_matters(load, tokens):
    """The model with RoPE scaling could not pass the tests above without it."""
    _, reference = load("grouped", "q0f32")
    unscaled = copy.copy(reference)
    unscaled.config = {**reference.config, "rope_scaling": None}
    assert np.abs(reference.logits(tokens[:37]) - unscaled.logits(tokens[:37])).max() > 0.1


@pytest.mark.parametrize(
    "name",
    [
        "model.embed_tokens.q_weight",
        "model.layers.0.self_attn.qkv_proj.q_scale",
        "model.layers.1.mlp.down_proj.q_weight",
        "model.norm.weight",
    ],
)
@pytest.mark.parametrize("change", ["shape", "dtype"])
def test_other_weights_are_refused(load, tokens, name, change):
    """A library checks every weight, and does not compute with what it was not made for."""
    session, _ = load("grouped", "q4f16_1")
    session.clear()
    session.add_sequence(0)
    names = [parameter["name"] for parameter in session.metadata["params"]]
    right = session.parameters
    wrong = right[names.index(name)].numpy()
    wrong = wrong[..., 1:].copy() if change == "shape" else wrong.astype(np.float64)
    try:
        session.parameters = [*right]
        session.parameters[names.index(name)] = session.tensor(wrong)
        with pytest.raises((RuntimeError, TypeError, ValueError)):
            session.forward("prefill", {0: tokens[:3]})
    finally:
        session.parameters = right
