"""phi3: names differ, shapes do not."""

from tools.convert_weight.family import Family

FAMILY = Family(
    renamed=[
        (r"^transformer\.embd\.", "model.embed_tokens."),
        (r"^transformer\.norm\.", "model.norm."),
        (r"^transformer\.h\.", "model.layers."),
        (r"\.mixer\.out_proj\.", ".self_attn.o_proj."),
        (r"\.mixer\.qkv_proj\.", ".self_attn.qkv_proj."),
        (r"\.ln\.", ".input_layernorm."),
    ]
)
