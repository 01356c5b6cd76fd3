"""How many tokens the cache holds: memory figures are those of the window that the model has."""

from __future__ import annotations

import pytest

from tools.config.cached_tokens import cached_tokens


@pytest.mark.parametrize(
    ("context", "window", "tokens"),
    [
        (4096, -1, 4096),
        # The window, and a chunk of 512 that is appended before others leave.
        (-1, 1024, 1536),
        (32768, 1024, 1536),
        (1200, 1024, 1200),
    ],
)
def test_cached_tokens(context, window, tokens):
    config = {
        "context_window_size": context,
        "sliding_window_size": window,
        "prefill_chunk_size": 512,
    }
    assert cached_tokens(config) == tokens
