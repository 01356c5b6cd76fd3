"""qwen2: Qwen 1.5, Qwen 2 and Qwen 2.5, a llama whose query, key and value have a bias."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn

from tools.compiler.families.decoder import Decoder
from tools.compiler.families.llama import LlamaDecoderLayer
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class Qwen2Config:
    """The fields of a qwen2's ``model_config``, named as there.

    Attributes:
        hidden_size: Length of a token's vector.
        intermediate_size: Length of the vector inside the feed-forward layer.
        num_attention_heads: Number of query heads.
        num_key_value_heads: Number of key heads, and of value heads.
        head_dim: Length of a head.
        num_hidden_layers: Number of layers.
        rms_norm_eps: Epsilon of every norm.
        vocab_size: Number of tokens, a fixed size of this family's parameters.
        tie_word_embeddings: Whether the output layer shares the embedding's weight.
        rope_theta: Base of the rotary embedding.
    """

    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    num_hidden_layers: int
    rms_norm_eps: float
    vocab_size: int
    tie_word_embeddings: bool
    rope_theta: float


class Qwen2DecoderLayer(LlamaDecoderLayer):
    """A llama's layer with biases."""

    def attention(self, config: Qwen2Config, quantization: Quantization) -> nn.Module:
        return GroupedQueryAttention(
            config, quantization, names=("c_attn", "o_proj"), qkv_bias=True
        )


class Qwen2ForCausalLM(Decoder):
    """A qwen2 with its functions; base of the families that have other layers.

    Attributes:
        layer: Makes a layer.
    """

    layer: type[nn.Module] = Qwen2DecoderLayer

    def __init__(self, config: Qwen2Config, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=self.layer,
            norm=RMSNorm(config.hidden_size, config.rms_norm_eps, quantization.model_dtype),
            tied=config.tie_word_embeddings,
            num_embeddings=config.vocab_size,
            num_outputs=config.vocab_size,
            rope_theta=config.rope_theta,
        )
