"""qwen2_moe: Qwen 1.5 MoE and Qwen 2 57B, a qwen2 of experts, one of which sees every token."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn

from tools.compiler.families.qwen2 import Qwen2Config, Qwen2DecoderLayer, Qwen2ForCausalLM
from tools.compiler.layers.mixture import MixtureOfExperts
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class Qwen2MoeConfig(Qwen2Config):
    """The fields of a qwen2_moe's ``model_config``.

    Attributes:
        moe_intermediate_size: Length of the vector inside an expert.
        shared_expert_intermediate_size: That of the expert that every token is sent to.
        num_experts: Number of a layer's other experts.
        num_experts_per_tok: How many of those a token is sent to.
        norm_topk_prob: Whether their weights are made to sum to 1.
    """

    moe_intermediate_size: int
    shared_expert_intermediate_size: int
    num_experts: int
    num_experts_per_tok: int
    norm_topk_prob: bool


class Qwen2MoeDecoderLayer(Qwen2DecoderLayer):
    """A qwen2's layer with experts."""

    def feed_forward(self, config: Qwen2MoeConfig, quantization: Quantization) -> nn.Module:
        return MixtureOfExperts(
            quantization,
            config.hidden_size,
            config.moe_intermediate_size,
            config.num_experts,
            config.num_experts_per_tok,
            renormalise=config.norm_topk_prob,
            names=("moe_gate_up_proj", "moe_down_proj"),
            shared_size=config.shared_expert_intermediate_size,
        )


class Qwen2MoeForCausalLM(Qwen2ForCausalLM):
    """A qwen2_moe with its functions."""

    layer = Qwen2MoeDecoderLayer
