"""How the checkpoints of each family are read, by ``model_type``.

To add one: a module here with a `Family`, and a line in `FAMILIES`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tools.convert_weight.families import (
    gemma,
    gpt2,
    gpt_neox,
    llama,
    phi,
    phi3,
    phi_msft,
    qwen,
)
from tools.convert_weight.family import Family

FAMILIES: Mapping[str, Family] = {
    "gemma": gemma.FAMILY,
    "gemma2": gemma.FAMILY,
    "gpt2": gpt2.FAMILY,
    "gpt_neox": gpt_neox.FAMILY,
    "llama": llama.FAMILY,
    "mistral": llama.FAMILY,
    "phi": phi.FAMILY,
    "phi-msft": phi_msft.FAMILY,
    "phi3": phi3.FAMILY,
    "qwen2": qwen.FAMILY,
    "qwen3": qwen.FAMILY,
    "stablelm": llama.FAMILY,
}
