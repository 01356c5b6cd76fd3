"""internlm2: query heads lie with the key and the value head that they share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tools.convert_weight.family import Family, Piece


def _wqkv(match: re.Match[str], config: Mapping[str, Any]) -> list[Piece]:
    size, groups = config["head_dim"], config["num_key_value_heads"]
    queries = config["num_attention_heads"] // groups

    def rows(group: int, first: int, count: int):
        begin = (group * (queries + 2) + first) * size
        return lambda array: array[begin : begin + count * size]

    parts = [(0, queries), (queries, 1), (queries + 1, 1)]
    return [
        Piece(match.group(), rows(group, first, count))
        for first, count in parts
        for group in range(groups)
    ]


FAMILY = Family(
    fused={"feed_forward.gate_up_proj": ("feed_forward.w1", "feed_forward.w3")},
    special={r".*\.attention\.wqkv\.(weight|bias)": _wqkv},
)
