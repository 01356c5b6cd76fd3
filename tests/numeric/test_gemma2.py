"""What sets a gemma2 apart from a gemma holds for forked sequences and trees of tokens, too."""

from __future__ import annotations

import numpy as np
import pytest
import tvm

from tests.numeric.families.gemma2 import Gemma2
from tests.numeric.tolerance import TOLERANCE, check


@pytest.fixture
def gemma2(load):
    """A session with an empty cache, and its reference."""
    session, reference = load("gemma2", "q0f32")
    session.clear()
    return session, reference


def test_forked_sequences_slide(gemma2, tokens):
    """The window passes over what sequences share into what each has of its own."""
    session, reference = gemma2
    session.add_sequence(0)
    session.forward("prefill", {0: tokens[:30]})
    session.fork_sequence(0, 1)
    texts = {0: [*tokens[:30], *tokens[40:55]], 1: [*tokens[:30], *tokens[60:75]]}
    expected = {sequence: reference.logits(text) for sequence, text in texts.items()}
    for position in range(30, 45):
        new = {sequence: text[position : position + 1] for sequence, text in texts.items()}
        logits = session.forward("batch_decode", new, one_token_each=True)
        for sequence in texts:
            check(logits[sequence, 0], expected[sequence][position], TOLERANCE["q0f32"])
    new = {0: tokens[80:110], 1: tokens[75:80]}
    logits = session.forward("batch_prefill", new, logit_positions=[29, 34])
    for row, (sequence, more) in enumerate(new.items()):
        expected = reference.logits([*texts[sequence], *more])[-1]
        check(logits[0, row], expected, TOLERANCE["q0f32"])


@pytest.mark.parametrize("length", [5, 40])
def test_tree_of_tokens(gemma2, tokens, length):
    """Drafts that branch, after a prompt within the window and after a longer one."""
    session, reference = gemma2
    session.add_sequence(0)
    session.forward("prefill", {0: tokens[:length]})
    paths = [[7], [7, 8], [7, 9], [7, 9, 10], [11]]
    parents = [-1, 0, 0, 2, -1]
    embeddings = session.call("embed", np.array([path[-1] for path in paths])).numpy()
    shape = tvm.runtime.ShapeTuple
    begin = tvm.get_global_func("vm.builtin.kv_state_begin_forward")
    begin(session.cache, shape([0]), shape([len(paths)]), shape(parents))
    logits, _ = session.call("batch_verify", embeddings[None], session.cache)
    tvm.get_global_func("vm.builtin.kv_state_end_forward")(session.cache)
    for row, path in enumerate(paths):
        expected = reference.logits([*tokens[:length], *path])[-1]
        check(logits.numpy()[0, row], expected, TOLERANCE["q0f32"])


@pytest.mark.parametrize(
    "change",
    [
        {"attn_logit_softcapping": None},
        {"final_logit_softcapping": None},
        {"query_pre_attn_scalar": 64},
        {"sliding_window": 22},
    ],
)
def test_every_field_matters(gemma2, tokens, change):
    """The model could not pass the tests with another value."""
    _, reference = gemma2
    other = Gemma2({**reference.config, **change}, reference.weights)
    assert np.abs(other.logits(tokens[:60]) - reference.logits(tokens[:60])).max() > 0.01


def test_which_layers_have_a_window_matters(gemma2, tokens):
    """The model could not pass the tests with windows in the other layers."""
    _, reference = gemma2

    class Other(Gemma2):
        def has_window(self, layer):
            return layer % 2 == 1

    other = Other(reference.config, reference.weights)
    assert np.abs(other.logits(tokens[:60]) - reference.logits(tokens[:60])).max() > 0.01
