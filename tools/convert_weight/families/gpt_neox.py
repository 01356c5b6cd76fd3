"""gpt_neox: a head's query, key and value lie together, here those of all heads do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tools.convert_weight.families.shared import MASKS
from tools.convert_weight.family import Family, Piece


def _query_key_value(match: re.Match[str], config: Mapping[str, Any]) -> list[Piece]:
    size = config["head_dim"]

    def rows(head: int, part: int):
        begin = (3 * head + part) * size
        return lambda array: array[begin : begin + size]

    heads = range(config["num_attention_heads"])
    return [Piece(match.group(), rows(head, part)) for part in range(3) for head in heads]


FAMILY = Family(
    special={r".*\.attention\.query_key_value\.(weight|bias)": _query_key_value},
    ignored=MASKS,
)
