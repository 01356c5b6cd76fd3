"""starcoder2: the output layer shares the tokens' embedding."""

from tools.convert_weight.families.shared import QKV
from tools.convert_weight.family import Family

FAMILY = Family(
    fused={"self_attn.wqkv_pack": QKV},
    renamed=[(r"^lm_head\.", "model.embed_tokens.")],
)
