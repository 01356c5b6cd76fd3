"""How many tokens a KV cache holds: what memory figures are computed with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def cached_tokens(model_config: Mapping[str, Any]) -> int:
    """Returns the most tokens of one sequence that the KV cache holds at a time.

    That is the context window; with a sliding window that window and a prefill chunk, whose tokens
    are appended before others leave, if this is less.
    """
    sizes = []
    if model_config["context_window_size"] != -1:
        sizes.append(model_config["context_window_size"])
    if model_config["sliding_window_size"] != -1:
        sizes.append(model_config["sliding_window_size"] + model_config["prefill_chunk_size"])
    return min(sizes)
