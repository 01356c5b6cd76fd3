"""phi: Phi 1.5 and 2, as transformers names their tensors."""

from tools.convert_weight.family import Family

FAMILY = Family(
    fused={"mixer.Wqkv": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj")},
    renamed=[
        (r"^lm_head\.ln\.", "model.final_layernorm."),
        (r"^lm_head\.linear\.", "lm_head."),
        (r"^transformer\.embd\.", "model.embed_tokens."),
        (r"^transformer\.h\.", "model.layers."),
        (r"\.mixer\.out_proj\.", ".self_attn.dense."),
        (r"\.ln\.", ".input_layernorm."),
    ],
)
