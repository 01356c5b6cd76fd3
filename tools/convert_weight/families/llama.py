"""llama, and families whose checkpoints are like it."""

from tools.convert_weight.families.shared import LLAMA
from tools.convert_weight.family import Family

FAMILY = Family(fused=LLAMA)
