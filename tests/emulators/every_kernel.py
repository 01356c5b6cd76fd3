"""Calls of the kernels that a plain conversation does not need."""

from __future__ import annotations

import functools

import numpy as np
import tvm

from tests.emulators.emulation import EmulatedSession
from tests.numeric.session import PAGE_SIZE, Session

_WINDOW = 40


def use_sliding_window(session: Session) -> None:
    """Prefills over a window's end, and decodes in a full one."""
    sizes = dict(session.metadata)
    session.metadata["sliding_window_size"] = _WINDOW
    session.clear()
    session.add_sequence(0)
    session.slide_sequence(0, 4)
    session.forward("prefill", {0: np.arange(1, 51)})
    session.forward("prefill", {0: np.arange(60, 70)})
    session.forward("decode", {0: [7]})
    session.metadata.update(sizes)


def use_token_trees(session: Session) -> None:
    """Verifies a tree of drafts and keeps one of its branches; then lets a tree grow."""
    session.clear()
    session.add_sequence(0)
    # Tokens 1 and 2 follow 0; 3 follows 1; 4 follows 2.
    session.forward("batch_verify", {0: [5, 6, 7, 8, 9]}, token_tree=[-1, 0, 0, 1, 2])
    commit = "vm.builtin.attention_kv_cache_commit_accepted_token_tree_nodes"
    accepted = tvm.runtime.ShapeTuple([0]), tvm.runtime.ShapeTuple([4])
    tvm.get_global_func(commit)(session.cache, *accepted)
    session.forward("batch_verify", {0: [5, 6, 7]}, token_tree=[-1, 0, 0])
    session.forward("batch_verify", {0: [8, 9]}, token_tree=[1, 2])


def attend_from_trees(
    session: Session, query_heads: int, heads: int, head_dim: int, random: np.random.Generator
) -> None:
    """Attends to more tokens than a window has, as a layer with a window, from two trees.

    The keys of the second sequence do not start at its beginning, which is a prefix it shares.
    """
    numbers = functools.partial(random.standard_normal, dtype=np.float32)
    positions, starts = np.array([65, 66, 66, 67, 67, 89, 90, 90]), np.array([0, 40])
    first_queries, pages_of, last_page = np.array([0, 5, 8]), np.array([0, 5, 9]), np.array([6, 4])
    session.call(
        "tree_attn_paged_kv",
        numbers((8, query_heads, head_dim)),
        first_queries,
        numbers((10, 2, heads, PAGE_SIZE, head_dim)),
        *(pages_of, random.permutation(10)[:9], last_page, starts, positions),
        *(np.zeros((8, query_heads, head_dim), np.float32), np.zeros((8, query_heads), np.float32)),
        *(0, 1.0, 10000.0, -(head_dim**-0.5)),
        first_queries,
        # Of each node its place in a walk of the tree, and the place after those that follow it.
        np.array([[0, 5], [1, 3], [3, 5], [2, 3], [4, 5], [0, 3], [1, 2], [2, 3]]),
        parameters=False,
    )


def read_cache(session: Session, layers: int, heads: int, head_dim: int) -> None:
    """Copies keys and values of a sequence, one of whose pages is shared, then copied."""
    session.clear()
    session.add_sequence(0)
    session.forward("prefill", {0: np.arange(1, 50)})
    session.fork_sequence(0, 1, 20)
    session.forward("decode", {1: [7]})
    results = [session.tensor(np.zeros((layers, 21, heads, head_dim), np.float32)) for _ in "kv"]
    get = tvm.get_global_func("vm.builtin.attention_kv_cache_debug_get_kv")
    get(session.cache, 1, 0, 21, *results)


def append_latent(session: Session, head_dim: int, random: np.random.Generator) -> None:
    """Appends to pages of latent attention, whose kernel is there though no family has it."""
    pages = random.standard_normal((3, PAGE_SIZE, head_dim)).astype(np.float32)
    rows = random.standard_normal((5, head_dim)).astype(np.float32)
    positions = np.array([47, 3, 0, 16, 17])
    session.call("tir_kv_cache_transpose_append_mla", pages, rows, positions, parameters=False)


def change_logits(session: Session, vocab_size: int, random: np.random.Generator) -> None:
    """Adds biases and penalties, masks, and moves rows."""
    logits = random.standard_normal((4, vocab_size)).astype(np.float32)
    tokens = random.permutation(vocab_size)[:300]
    rows = np.repeat([0, 1], 150)
    counts = random.integers(1, 5, 300)
    biases = random.standard_normal(300).astype(np.float32)
    penalties = np.array([[0.5, 0.25, 2], [1, 0.5, 4]], np.float32)
    states = random.standard_normal((4, 256)).astype(np.float32)
    masks = random.integers(-(2**31), 2**31, (4, -(-vocab_size // 32))).astype(np.int32)
    for name, *arguments in (
        ("apply_logit_bias_inplace", logits, rows, tokens, biases),
        ("apply_penalty_inplace", logits, np.array([3, 1]), rows, tokens, counts, penalties),
        ("apply_bitmask_inplace", logits, np.array([2, 0, 1]), masks),
        ("gather_probs", logits, np.array([3, 1]), np.zeros((2, vocab_size), np.float32)),
        ("scatter_probs", logits[:2], np.array([3, 1]), np.zeros_like(logits)),
        ("gather_hidden_states", states, np.array([3, 1]), np.zeros((2, 256), np.float32)),
        ("scatter_hidden_states", states[:2], np.array([3, 1]), np.zeros_like(states)),
    ):
        session.call(name, *arguments, parameters=False)


def sort_and_sample(session: Session, random: np.random.Generator) -> None:
    """Samples of a vocabulary that fills no block of threads, from rows of which one has ties."""
    probs = random.random((3, 1999), np.float32) ** 8
    probs[1] = probs[1].round(1)
    probs /= probs.sum(1, keepdims=True)
    values, order = session.call("argsort_probs", probs, parameters=False)
    uniform = random.random(64, np.float32)
    rows = random.integers(0, 3, 64)
    share = np.array([0.2, 0.9, 1], np.float32)
    session.call("sample_with_top_p", values, order, uniform, rows, share, parameters=False)


def sample_otherwise(session: Session, random: np.random.Generator) -> None:
    """Calls the functions that libraries for browsers do not have."""
    probs = random.dirichlet(np.full(1999, 0.1), 4).astype(np.float32)
    uniform, shares = random.random((2, 4), np.float32)
    rows, tokens = random.integers(0, 4, 4), random.integers(0, 1999, 4)
    order = np.argsort(-probs, 1).astype(np.int32)
    # Nodes 1 and 2 follow 0; 3 follows 1.
    child, sibling = np.array([1, 3, -1, -1]), np.array([-1, 2, -1, -1])
    for name, *arguments in (
        ("multinomial_from_uniform", probs, uniform, rows),
        ("renormalize_by_top_p", probs, shares, np.zeros((4, 3), np.float32)),
        ("sampler_take_probs", probs, order, rows, tokens, np.array([0, 1999, 7])),
        (
            "sampler_verify_draft_tokens",
            *(probs, tokens, probs[::-1].copy(), child, sibling, uniform, np.array([0])),
        ),
    ):
        session.call(name, *arguments, parameters=False)


def use_cache(session: EmulatedSession, *, can_slide: bool) -> None:
    """Uses all that a KV cache can do; with `can_slide`, as one with a window, too."""
    if can_slide:
        use_sliding_window(session)
    metadata = dict(session.metadata)
    session.metadata |= {"sliding_window_size": -1, "context_window_size": 256}
    cache = metadata["kv_cache"]
    use_token_trees(session)
    heads = cache["num_key_value_heads"], cache["head_dim"]
    random = np.random.default_rng(1)
    attend_from_trees(session, cache["num_attention_heads"], *heads, random)
    read_cache(session, cache["num_hidden_layers"], *heads)
    append_latent(session, cache["head_dim"], random)
    session.metadata |= metadata


def use_common_kernels(session: EmulatedSession, vocab_size: int) -> None:
    """Calls the kernels that are the same in the libraries of all models."""
    random = np.random.default_rng(1)
    change_logits(session, vocab_size, random)
    sort_and_sample(session, random)
    if "take_probs" in session.functions:
        sample_otherwise(session, random)
