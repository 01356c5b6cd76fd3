"""gemma, gemma2: a norm multiplies by one more than its weight, which a library holds summed up."""

from tools.convert_weight.families.shared import LLAMA
from tools.convert_weight.family import Family

FAMILY = Family(fused=LLAMA, plus_one=r".*norm\.weight")
