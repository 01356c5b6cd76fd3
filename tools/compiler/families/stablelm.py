"""stablelm: StableLM 3B and StableLM 2; a llama with layer norms and a partial rotary embedding."""

from __future__ import annotations

import dataclasses

from tools.compiler.families.decoder import Decoder
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.decoder_layer import PreNormLayer
from tools.compiler.layers.mlp import GatedMLP
from tools.compiler.layers.norm import LayerNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class StableLMConfig:
    """The fields of a stablelm's ``model_config``, named as there.

    Attributes:
        vocab_size: Number of tokens; unlike other families', a stablelm's weights have it as a
            size that is fixed.
        hidden_size: Length of a token's vector.
        intermediate_size: Length of the vector inside the feed-forward layer.
        num_attention_heads: Number of query heads.
        num_key_value_heads: Number of key heads, and of value heads.
        head_dim: Length of a head.
        num_hidden_layers: Number of layers.
        layer_norm_eps: Epsilon of every norm.
        partial_rotary_factor: Which part of a head, its beginning, is rotated.
        rope_theta: RoPE's theta.
        use_qkv_bias: Whether query, key and value have biases.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    num_hidden_layers: int
    layer_norm_eps: float
    partial_rotary_factor: float
    rope_theta: float
    use_qkv_bias: bool


class StableLMDecoderLayer(PreNormLayer):
    """A stablelm's layer."""

    def __init__(self, config: StableLMConfig, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.layer_norm_eps, quantization.model_dtype
        self.self_attn = GroupedQueryAttention(config, quantization, qkv_bias=config.use_qkv_bias)
        self.mlp = GatedMLP(quantization, size, config.intermediate_size)
        self.input_layernorm = LayerNorm(size, epsilon, dtype)
        self.post_attention_layernorm = LayerNorm(size, epsilon, dtype)


class StableLMForCausalLM(Decoder):
    """A stablelm with its functions."""

    def __init__(self, config: StableLMConfig, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=StableLMDecoderLayer,
            norm=LayerNorm(config.hidden_size, config.layer_norm_eps, quantization.model_dtype),
            num_embeddings=config.vocab_size,
            num_outputs=config.vocab_size,
            rope_theta=config.rope_theta,
            rotary_dim=int(config.head_dim * config.partial_rotary_factor),
        )
