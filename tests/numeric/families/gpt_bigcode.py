"""StarCoder: a GPT-2 whose query heads share one key and one value head."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.numeric.families.gpt2 import GPT2
from tests.numeric.small_model import SIZES, SmallModel


class GPTBigCode(GPT2):
    """The first layer of the attention says by its size how many keys and values there are."""

    def __init__(self, config: dict[str, Any], weights: dict[str, np.ndarray]) -> None:
        super().__init__({**config, "scale_attn_by_inverse_layer_idx": False}, weights)


_CONFIG = {
    **SIZES,
    "n_embd": 256,
    "n_layer": 2,
    "n_head": 4,
    "n_inner": 480,
    "n_positions": 300,
    "head_dim": 64,
    "layer_norm_epsilon": 1e-5,
}

MODELS = {"gpt_bigcode": SmallModel("gpt_bigcode", _CONFIG, GPTBigCode)}
