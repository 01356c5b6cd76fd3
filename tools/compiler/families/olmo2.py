"""olmo2: OLMo 2, a llama whose norms come after attention and feed-forward layers."""

from __future__ import annotations

import dataclasses
from typing import Any

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.decoder import Decoder
from tools.compiler.layers.elementwise import add
from tools.compiler.layers.mlp import GatedMLP
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.layers.projection_norm import ProjectionNormAttention
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class OLMo2Config:
    """The fields of an olmo2's ``model_config``, named as there.

    Attributes:
        vocab_size: Number of tokens, a fixed size of this family's parameters.
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
    """

    vocab_size: int
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


class OLMo2DecoderLayer(nn.Module):
    """Attention and feed-forward, each with its norm after and a residual around both."""

    def __init__(self, config: OLMo2Config, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.rms_norm_eps, quantization.model_dtype
        self.self_attn = ProjectionNormAttention(config, quantization, epsilon)
        self.mlp = GatedMLP(quantization, size, config.intermediate_size)
        self.post_attention_layernorm = RMSNorm(size, epsilon, dtype)
        self.post_feedforward_layernorm = RMSNorm(size, epsilon, dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        attended = self.self_attn(x, paged_kv_cache, layer_id)
        x = add(self.post_attention_layernorm(attended), x)
        return add(self.post_feedforward_layernorm(self.mlp(x)), x)


class OLMo2ForCausalLM(Decoder):
    """An olmo2 with its functions."""

    exports_hidden_states = True

    def __init__(self, config: OLMo2Config, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=OLMo2DecoderLayer,
            norm=RMSNorm(config.hidden_size, config.rms_norm_eps, quantization.model_dtype),
            tied=config.tie_word_embeddings,
            num_embeddings=config.vocab_size,
            num_outputs=config.vocab_size,
            rope_theta=config.position_embedding_base,
            rope_scaling=config.rope_scaling,
        )
