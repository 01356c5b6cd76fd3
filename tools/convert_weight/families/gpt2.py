"""gpt2: linear layers are stored transposed; the output layer shares the tokens' embedding."""

from tools.convert_weight.families.shared import MASKS
from tools.convert_weight.family import Family

FAMILY = Family(
    aliases=[(r"^transformer\.", "")],
    renamed=[(r"^transformer\.", ""), (r"^lm_head\.", "wte.")],
    transposed=r".*\.(attn|mlp)\.c_(attn|proj|fc)\.weight",
    ignored=MASKS,
)
