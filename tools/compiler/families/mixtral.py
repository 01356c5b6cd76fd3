"""mixtral: Mixtral 8x7B and 8x22B, a llama whose feed-forward layers are made of experts."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn

from tools.compiler.families.llama import LlamaConfig, LlamaForCausalLM
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.decoder_layer import PreNormLayer
from tools.compiler.layers.mixture import MixtureOfExperts
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class MixtralConfig(LlamaConfig):
    """The fields of a mixtral's ``model_config``; ``intermediate_size`` is that of an expert.

    Attributes:
        num_local_experts: Number of a layer's experts.
        num_experts_per_tok: How many of them a token is sent to.
    """

    num_local_experts: int
    num_experts_per_tok: int


class MixtralDecoderLayer(PreNormLayer):
    """A mixtral's layer."""

    steps = ("input_layernorm", "self_attn", "post_attention_layernorm", "moe")

    def __init__(self, config: MixtralConfig, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.rms_norm_eps, quantization.model_dtype
        self.self_attn = GroupedQueryAttention(config, quantization)
        self.moe = MixtureOfExperts(
            quantization,
            size,
            config.intermediate_size,
            config.num_local_experts,
            config.num_experts_per_tok,
            renormalise=True,
            names=("e1_e3", "e2"),
        )
        self.input_layernorm = RMSNorm(size, epsilon, dtype)
        self.post_attention_layernorm = RMSNorm(size, epsilon, dtype)


class MixtralForCausalLM(LlamaForCausalLM):
    """A mixtral with its functions."""

    layer: type[nn.Module] = MixtralDecoderLayer
