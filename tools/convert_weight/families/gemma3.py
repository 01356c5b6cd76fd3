"""gemma3, gemma3_text: a gemma whose language part may stand beside others, which are left out."""

from tools.convert_weight.families.shared import LLAMA
from tools.convert_weight.family import Family

FAMILY = Family(
    fused=LLAMA,
    plus_one=r".*norm\.weight",
    renamed=[(r"^language_model\.", "")],
    aliases=[(r"^language_model\.", ""), (r"^model\.language_model\.", "model.")],
    ignored=[r"(model\.)?(vision_tower|multi_modal_projector)\..*"],
)
