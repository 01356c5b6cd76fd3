"""Calls of every function that a chat engine calls. It also runs where there is no compiler."""

from __future__ import annotations

import numpy as np

from tests.numeric.session import Session

NEW_TOKENS = 3


def converse(session: Session, prompt: np.ndarray) -> dict[str, np.ndarray]:
    """Returns what each call returns, by a name for it; ``story`` are tokens, greedily chosen.

    Args:
        session: With the model's weights.
        prompt: Tokens; at least 8.
    """
    results: dict[str, np.ndarray] = {}
    session.clear()
    for sequence in (0, 1):
        session.add_sequence(sequence)
    story = []
    results["prefill"] = logits = session.forward("prefill", {0: prompt})
    for _ in range(NEW_TOKENS):
        story.append(int(logits.argmax()))
        logits = session.forward("decode", {0: story[-1:]})
    results["decode"] = logits
    results["story"] = np.array(story)
    results["second prefill"] = session.forward("prefill", {0: prompt[:5]})
    session.fork_sequence(0, 2)
    results["batch_prefill"] = session.forward(
        "batch_prefill", {0: prompt[:3], 1: prompt[2:7], 2: prompt[:1]}, logit_positions=[2, 7, 8]
    )
    results["batch_decode"] = session.forward(
        "batch_decode", {0: [3], 1: [5], 2: [7]}, one_token_each=True
    )
    results["batch_verify"] = session.forward("batch_verify", {0: prompt[:4], 1: prompt[:2]})
    if "get_logits" in session.metadata["memory_usage"]:
        results |= hidden_states(session, prompt)
    results["softmax"] = session.call(
        "softmax_with_temperature",
        results["batch_decode"][:2],
        np.array([0.7, 0], np.float32),
        parameters=False,
    ).numpy()
    return results


def hidden_states(session: Session, prompt: np.ndarray) -> dict[str, np.ndarray]:
    """Returns what the functions for speculative decoding return, which some families have.

    They append to sequence 1.
    """
    results = {}
    for kind in ("prefill", "decode", "batch_prefill", "batch_decode", "batch_verify"):
        name = f"{kind}_to_last_hidden_states"
        results[name] = session.forward(name, {1: prompt[:1] if "decode" in name else prompt[:4]})
    states = results["prefill_to_last_hidden_states"][0]
    results["states"] = session.call(
        "batch_select_last_hidden_states", states, np.array([3, 0]), parameters=False
    ).numpy()
    results["get_logits"] = session.call("get_logits", results["states"]).numpy()
    return results
