"""Mistral: a llama that forgets the tokens that leave its window, all but the first ones."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

from tests.numeric.families.llama import LLAMA, Llama
from tests.numeric.small_model import SmallModel


class Mistral(Llama):
    """A llama where it has no window.

    Attributes:
        window: How many tokens are kept between passes; None for all.
        sink: How many of them are the first of the sequence.
        lengths: Tokens of each pass.
    """

    window: int | None = None
    sink = 0
    lengths: Sequence[int] = ()

    def windowed(self, window: int, sink: int, lengths: Sequence[int]) -> Mistral:
        """Returns the model with other attributes."""
        result = copy.copy(self)
        result.window, result.sink, result.lengths = window, sink, lengths
        return result

    def passes(self, tokens: int) -> Iterator[tuple[list[int], list[int]]]:
        if self.window is None:
            yield from super().passes(tokens)
            return
        kept: list[int] = []
        first = 0
        for length in self.lengths:
            new = list(range(first, first + length))
            yield kept, new
            kept = [*kept, *new]
            if len(kept) > self.window:
                kept = [*kept[: self.sink], *kept[self.sink - self.window :]]
            first += length


_CONFIG = {
    **LLAMA,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 64,
    "position_embedding_base": 1000000.0,
}

MODELS = {
    "mistral": SmallModel("mistral", _CONFIG, Mistral),
    # Has tests of its own.
    "windowed_mistral": SmallModel(
        "mistral",
        {
            **_CONFIG,
            "context_window_size": -1,
            "sliding_window_size": 40,
            "attention_sink_size": 4,
        },
        Mistral,
        (),
    ),
}
