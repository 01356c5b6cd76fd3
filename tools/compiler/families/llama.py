"""llama: Llama 1 to 3.2, TinyLlama and the many models that share their architecture."""

from __future__ import annotations

import dataclasses
from typing import Any

from tvm.relax.frontend import nn

from tools.compiler.families.decoder import Decoder
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.decoder_layer import PreNormLayer
from tools.compiler.layers.mlp import Activation, GatedMLP
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class LlamaConfig:
    """The fields of a llama's ``model_config``, named as there.

    Attributes:
        hidden_size: Length of a token's vector.
        intermediate_size: Length of the vector inside the feed-forward layer.
        num_attention_heads: Number of query heads.
        num_key_value_heads: Number of key heads, and of value heads.
        head_dim: Length of a head.
        num_hidden_layers: Number of layers.
        rms_norm_eps: Epsilon of every norm.
        tie_word_embeddings: Whether the output layer shares the embedding's weight.
        position_embedding_base: RoPE's theta.
        rope_scaling: None, or a dictionary with ``rope_type`` ``llama3``.
        disaggregation: Whether the KV cache is for disaggregated prefill and decode.
    """

    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    num_hidden_layers: int
    rms_norm_eps: float
    tie_word_embeddings: bool
    position_embedding_base: float
    rope_scaling: dict[str, Any] | None
    disaggregation: bool


class LlamaDecoderLayer(PreNormLayer):
    """A llama's layer; base of those of other families that differ in one of its parts.

    Args:
        config: That of a family with the fields that are read here.
        quantization: How the weights are stored.

    Attributes:
        activation: Of the feed-forward layer's gate.
    """

    activation: Activation = "silu"

    def __init__(self, config: Any, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.rms_norm_eps, quantization.model_dtype
        self.self_attn = self.attention(config, quantization)
        self.mlp = self.feed_forward(config, quantization)
        self.input_layernorm = RMSNorm(size, epsilon, dtype)
        self.post_attention_layernorm = RMSNorm(size, epsilon, dtype)

    def attention(self, config: Any, quantization: Quantization) -> nn.Module:
        """Returns the attention."""
        return GroupedQueryAttention(config, quantization)

    def feed_forward(self, config: Any, quantization: Quantization) -> nn.Module:
        """Returns the feed-forward layer."""
        return GatedMLP(quantization, config.hidden_size, config.intermediate_size, self.activation)


class LlamaForCausalLM(Decoder):
    """A llama with its functions; base of the families that have its layers.

    Attributes:
        layer: Makes a layer.
    """

    exports_hidden_states = True
    layer: type[nn.Module] = LlamaDecoderLayer

    def __init__(self, config: LlamaConfig, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=self.layer,
            norm=RMSNorm(config.hidden_size, config.rms_norm_eps, quantization.model_dtype),
            tied=config.tie_word_embeddings,
            rope_theta=config.position_embedding_base,
            rope_scaling=config.rope_scaling,
            enable_disaggregation=config.disaggregation,
        )
