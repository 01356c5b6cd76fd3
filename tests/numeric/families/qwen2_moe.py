"""Qwen2 with experts, and one that sees every token."""

from __future__ import annotations

import numpy as np

from tests.numeric.families.llama import LLAMA
from tests.numeric.families.qwen2 import Qwen2
from tests.numeric.numpy_layers import mixture_of_experts, silu
from tests.numeric.small_model import SmallModel


class Qwen2Moe(Qwen2):
    """The shared expert has a weight of its own, by a sigmoid."""

    def mlp(self, prefix: str, x: np.ndarray) -> np.ndarray:
        shared = prefix + "mlp.shared_expert"
        gate, up = np.split(x @ self.weight(f"{shared}.gate_up_proj").T, 2, -1)
        out = (silu(gate) * up) @ self.weight(f"{shared}.down_proj").T
        share = 1 / (1 + np.exp(-x @ self.weight(f"{shared}_gate").T))
        return share * out + experts(self, prefix, x)


def experts(model: Qwen2, prefix: str, x: np.ndarray) -> np.ndarray:
    """Returns the weighted sum over the experts that each token is sent to."""
    names = ("gate", "moe_gate_up_proj", "moe_down_proj")
    weights = (model.weight(f"{prefix}mlp.{name}") for name in names)
    chosen, renormalise = model.config["num_experts_per_tok"], model.config["norm_topk_prob"]
    return mixture_of_experts(x, *weights, chosen, renormalise=renormalise)


MODELS = {
    "qwen2_moe": SmallModel(
        "qwen2_moe",
        {
            **LLAMA,
            "num_attention_heads": 8,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "rope_theta": 1e6,
            "moe_intermediate_size": 96,
            "shared_expert_intermediate_size": 160,
            "num_experts": 12,
            "num_experts_per_tok": 4,
            "norm_topk_prob": False,
        },
        Qwen2Moe,
    ),
}
