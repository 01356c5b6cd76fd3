"""internlm2: InternLM 2 and 2.5, a llama with other names and optional biases."""

from __future__ import annotations

import dataclasses

from tools.compiler.families.decoder import Decoder, Names
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.decoder_layer import PreNormLayer
from tools.compiler.layers.mlp import GatedMLP
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class InternLM2Config:
    """The fields of an internlm2's ``model_config``, named as there.

    Attributes:
        vocab_size: Number of tokens, a fixed size of this family's parameters.
        hidden_size: Length of a token's vector.
        intermediate_size: Length of the vector inside the feed-forward layer.
        num_attention_heads: Number of query heads.
        num_key_value_heads: Number of key heads, and of value heads.
        head_dim: Length of a head.
        num_hidden_layers: Number of layers.
        rms_norm_eps: Epsilon of every norm.
        rope_theta: RoPE's theta.
        bias: Whether the linear layers around the attention have biases.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    num_hidden_layers: int
    rms_norm_eps: float
    rope_theta: float
    bias: bool


class InternLM2DecoderLayer(PreNormLayer):
    """An internlm2's layer."""

    steps = ("attention_norm", "attention", "ffn_norm", "feed_forward")

    def __init__(self, config: InternLM2Config, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.rms_norm_eps, quantization.model_dtype
        self.attention = GroupedQueryAttention(
            config,
            quantization,
            names=("wqkv", "wo"),
            qkv_bias=config.bias,
            out_bias=config.bias,
        )
        self.feed_forward = GatedMLP(
            quantization, size, config.intermediate_size, names=("gate_up_proj", "w2")
        )
        self.attention_norm = RMSNorm(size, epsilon, dtype)
        self.ffn_norm = RMSNorm(size, epsilon, dtype)


class InternLM2ForCausalLM(Decoder):
    """An internlm2 with its functions."""

    names = Names(embedding="tok_embeddings", head="output")

    def __init__(self, config: InternLM2Config, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=InternLM2DecoderLayer,
            norm=RMSNorm(config.hidden_size, config.rms_norm_eps, quantization.model_dtype),
            num_embeddings=config.vocab_size,
            num_outputs=config.vocab_size,
            rope_theta=config.rope_theta,
        )
