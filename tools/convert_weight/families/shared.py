"""What several families' checkpoints have in common."""

from __future__ import annotations

from collections.abc import Sequence

QKV = ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")
GATE_UP = {"mlp.gate_up_proj": ("mlp.gate_proj", "mlp.up_proj")}

LLAMA = {"self_attn.qkv_proj": QKV, **GATE_UP}
"""A llama's fused parameters, which many families share."""

MASKS: Sequence[str] = (r".*\.attn\.(masked_)?bias", r".*\.attention\.(masked_)?bias")
"""Causal masks, which older versions of transformers saved."""
