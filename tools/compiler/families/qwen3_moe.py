"""qwen3_moe: Qwen 3 30B-A3B and 235B-A22B, a qwen3 with experts in its feed-forward layers."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn

from tools.compiler.families.qwen3 import Qwen3Config, Qwen3DecoderLayer, Qwen3ForCausalLM
from tools.compiler.layers.mixture import MixtureOfExperts
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class Qwen3MoeConfig(Qwen3Config):
    """The fields of a qwen3_moe's ``model_config``.

    Attributes:
        moe_intermediate_size: Length of the vector inside an expert.
        num_experts: Number of a layer's experts.
        num_experts_per_tok: How many of them a token is sent to.
        norm_topk_prob: Whether their weights are made to sum to 1.
    """

    moe_intermediate_size: int
    num_experts: int
    num_experts_per_tok: int
    norm_topk_prob: bool


class Qwen3MoeDecoderLayer(Qwen3DecoderLayer):
    """A qwen3's layer with experts."""

    def feed_forward(self, config: Qwen3MoeConfig, quantization: Quantization) -> nn.Module:
        return MixtureOfExperts(
            quantization,
            config.hidden_size,
            config.moe_intermediate_size,
            config.num_experts,
            config.num_experts_per_tok,
            renormalise=config.norm_topk_prob,
            names=("moe_gate_up_proj", "moe_down_proj"),
        )


class Qwen3MoeForCausalLM(Qwen3ForCausalLM):
    """A qwen3_moe with its functions."""

    layer = Qwen3MoeDecoderLayer
