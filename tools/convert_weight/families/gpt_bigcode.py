"""gpt_bigcode: the output layer is saved, or shares the tokens' embedding."""

from tools.convert_weight.families.shared import MASKS
from tools.convert_weight.family import Family

FAMILY = Family(fallback={"lm_head.weight": "transformer.wte.weight"}, ignored=MASKS)
