"""mixtral, qwen2_moe, qwen3_moe: the experts of a layer are one parameter."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tools.convert_weight.families.shared import GATE_UP, LLAMA, QKV
from tools.convert_weight.family import Family, Piece


def _experts(
    number: str, names: Sequence[str]
) -> Callable[[re.Match[str], Mapping[str, Any]], list[Piece]]:
    """Returns a rule: the matrices `names` of each expert, of as many as the config says."""

    def pieces(match: re.Match[str], config: Mapping[str, Any]) -> list[Piece]:
        layer = match.group(1)
        return [
            Piece(layer + name.format(expert)) for expert in range(config[number]) for name in names
        ]

    return pieces


_MIXTRAL = "block_sparse_moe.experts.{}."
_QWEN = "mlp.experts.{}."
_SHARED = "mlp.shared_expert."

MIXTRAL = Family(
    fused=LLAMA,
    renamed=[(r"\.moe\.gate\.", ".block_sparse_moe.gate.")],
    special={
        r"(.*\.)moe\.e1_e3\.weight": _experts(
            "num_local_experts", [f"{_MIXTRAL}w1.weight", f"{_MIXTRAL}w3.weight"]
        ),
        r"(.*\.)moe\.e2\.weight": _experts("num_local_experts", [f"{_MIXTRAL}w2.weight"]),
    },
)

QWEN = Family(
    fused={
        "self_attn.c_attn": QKV,
        f"{_SHARED}gate_up_proj": (f"{_SHARED}gate_proj", f"{_SHARED}up_proj"),
        **GATE_UP,
    },
    special={
        r"(.*\.)mlp\.moe_gate_up_proj\.weight": _experts(
            "num_experts", [f"{_QWEN}gate_proj.weight", f"{_QWEN}up_proj.weight"]
        ),
        r"(.*\.)mlp\.moe_down_proj\.weight": _experts("num_experts", [f"{_QWEN}down_proj.weight"]),
    },
)
