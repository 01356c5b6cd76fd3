"""starcoder2: StarCoder 2, with layer norms, biases and a GELU between two linear layers."""

from __future__ import annotations

import dataclasses

from tools.compiler.families.decoder import Decoder
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.decoder_layer import PreNormLayer
from tools.compiler.layers.mlp import GeluMLP
from tools.compiler.layers.norm import LayerNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class Starcoder2Config:
    """The fields of a starcoder2's ``model_config``, named as there.

    Attributes:
        vocab_size: Number of tokens, a fixed size of this family's parameters.
        hidden_size: Length of a token's vector.
        intermediate_size: Length of the vector inside the feed-forward layer.
        num_attention_heads: Number of query heads.
        num_key_value_heads: Number of key heads, and of value heads.
        head_dim: Length of a head.
        num_hidden_layers: Number of layers.
        norm_epsilon: Epsilon of every norm.
        rope_theta: RoPE's theta.
        use_bias: Whether the linear layers have biases.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    num_hidden_layers: int
    norm_epsilon: float
    rope_theta: float
    use_bias: bool


class Starcoder2DecoderLayer(PreNormLayer):
    """A starcoder2's layer."""

    def __init__(self, config: Starcoder2Config, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.norm_epsilon, quantization.model_dtype
        self.self_attn = GroupedQueryAttention(
            config,
            quantization,
            names=("wqkv_pack", "o_proj"),
            qkv_bias=config.use_bias,
            out_bias=config.use_bias,
        )
        self.mlp = GeluMLP(
            quantization,
            size,
            config.intermediate_size,
            names=("c_fc", "c_proj"),
            tanh=True,
            bias=config.use_bias,
        )
        self.input_layernorm = LayerNorm(size, epsilon, dtype)
        self.post_attention_layernorm = LayerNorm(size, epsilon, dtype)


class Starcoder2ForCausalLM(Decoder):
    """A starcoder2 with its functions.

    Checkpoints have one weight for embedding and output; MLC LLM stores it twice.
    """

    def __init__(self, config: Starcoder2Config, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=Starcoder2DecoderLayer,
            norm=LayerNorm(config.hidden_size, config.norm_epsilon, quantization.model_dtype),
            num_embeddings=config.vocab_size,
            num_outputs=config.vocab_size,
            rope_theta=config.rope_theta,
        )
