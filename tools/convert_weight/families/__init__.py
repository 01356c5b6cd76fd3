"""How the checkpoints of each family are read, by ``model_type``.

To add one: a module here with a `Family`, and a line in `FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tools.convert_weight.families import (
    experts,
    gemma,
    gemma3,
    gpt2,
    gpt_bigcode,
    gpt_neox,
    internlm2,
    llama,
    phi,
    phi3,
    phi_msft,
    qwen,
    starcoder2,
)
from tools.convert_weight.family import Family

FAMILIES: Mapping[str, Family] = {
    "gemma": gemma.FAMILY,
    "gemma2": gemma.FAMILY,
    "gemma3": gemma3.FAMILY,
    "gemma3_text": gemma3.FAMILY,
    "gpt2": gpt2.FAMILY,
    "gpt_bigcode": gpt_bigcode.FAMILY,
    "gpt_neox": gpt_neox.FAMILY,
    "internlm2": internlm2.FAMILY,
    "llama": llama.FAMILY,
    "mistral": llama.FAMILY,
    "mixtral": experts.MIXTRAL,
    "olmo2": llama.FAMILY,
    "phi": phi.FAMILY,
    "phi-msft": phi_msft.FAMILY,
    "phi3": phi3.FAMILY,
    "qwen2": qwen.FAMILY,
    "qwen2_moe": experts.QWEN,
    "qwen3": qwen.FAMILY,
    "qwen3_moe": experts.QWEN,
    "stablelm": llama.FAMILY,
    "starcoder2": starcoder2.FAMILY,
}
