"""phi-msft: Phi 1.5 and 2, as their own code names their tensors; earlier, in a flat sequence."""

from tools.convert_weight.family import Family

FAMILY = Family(renamed=[(r"^transformer\.embd\.", "transformer.embd.wte.")])
