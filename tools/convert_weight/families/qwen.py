"""qwen2 and qwen3: a llama's, with another name of what the heads are made by."""

from tools.convert_weight.families.shared import GATE_UP, QKV
from tools.convert_weight.family import Family

FAMILY = Family(fused={"self_attn.c_attn": QKV, **GATE_UP})
