"""The functions of a compiled library compute what the model is defined to compute."""

from __future__ import annotations

import copy

import numpy as np
import pytest

from tests.numeric.reference import Llama
from tests.numeric.session import Session
from tools import config

CASES = [
    ("grouped", "q0f32"),
    ("grouped", "q0f16"),
    ("grouped", "q0bf16"),
    ("grouped", "q3f16_1"),
    ("grouped", "q4bf16_1"),
    ("grouped", "q4f16_1"),
    ("grouped", "q4f32_1"),
    ("multi_head", "q0f32"),
    ("multi_head", "q3f16_0"),
    ("multi_head", "q4f16_0"),
    ("multi_head", "q4f16_1"),
]
OTHER_FAMILIES = [
    (model, quantization)
    for model in ("qwen2_tied", "qwen2_untied", "qwen3_tied", "qwen3_untied")
    for quantization in ("q0f32", "q4f16_1")
]
"""These export no hidden states."""

_OF_DTYPE = {"float32": 1e-4, "float16": 2e-2, "bfloat16": 1.6e-1}

TOLERANCE = {
    name: _OF_DTYPE[config.quantization(name).model_dtype] for name in config.quantizations()
}
"""By quantization; bfloat16 has 3 bits less of mantissa than float16: 8 times its error."""


@pytest.fixture(params=[*CASES, *OTHER_FAMILIES], ids="-".join)
def case(request, load) -> tuple[Session, Llama, float]:
    """A session with an empty cache, its reference and the tolerance of their difference."""
    return empty_session(load, *request.param)


@pytest.fixture(params=CASES, ids="-".join)
def case_with_states(request, load) -> tuple[Session, Llama, float]:
    """The same, of a model that exports hidden states."""
    return empty_session(load, *request.param)


def empty_session(load, model: str, quantization: str) -> tuple[Session, Llama, float]:
    session, reference = load(model, quantization)
    session.clear()
    return session, reference, TOLERANCE[quantization]


@pytest.fixture
def tokens() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 517, 120)


def check(result: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    assert result.shape == expected.shape
    assert np.abs(result - expected).max() <= tolerance
    # The best token is the same, unless another is as good as it.
    second, best = np.moveaxis(np.sort(expected, -1)[..., -2:], -1, 0)
    assert ((result.argmax(-1) == expected.argmax(-1)) | (best - second <= tolerance)).all()


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


@pytest.mark.parametrize("name", ["prefill", "batch_prefill", "batch_verify"])
def test_hidden_states_and_logits_of_them(case_with_states, tokens, name):
    """Hidden states, a selection of them, and logits made of those."""
    session, reference, tolerance = case_with_states
    session.add_sequence(0)
    states = session.forward(f"{name}_to_last_hidden_states", {0: tokens[:9]})
    assert np.abs(states[0] - reference.hidden_states(tokens[:9])).max() <= tolerance
    rows = np.array([8, 0])
    selected = session.call("batch_select_last_hidden_states", states[0], rows, parameters=False)
    logits = session.call("get_logits", selected).numpy()
    check(logits, reference.logits(tokens[:9])[rows], tolerance)


@pytest.mark.parametrize("name", ["decode", "batch_decode"])
def test_hidden_states_of_one_token(case_with_states, tokens, name):
    """The same for functions that take a token of each sequence."""
    session, reference, tolerance = case_with_states
    session.add_sequence(0)
    session.forward("prefill", {0: tokens[:9]})
    states = session.forward(f"{name}_to_last_hidden_states", {0: tokens[9:10]})
    assert np.abs(states[0] - reference.hidden_states(tokens[:10])[-1:]).max() <= tolerance


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
