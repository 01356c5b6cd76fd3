"""phi3: Phi-3 and Phi-3.5 mini, whose long-context variants scale RoPE by a factor a frequency."""

from __future__ import annotations

import dataclasses
from typing import Any

from tools.compiler.families.decoder import Decoder, Names
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.decoder_layer import PreNormLayer
from tools.compiler.layers.mlp import GatedMLP
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class Phi3Config:
    """The fields of a phi3's ``model_config``, named as there.

    Attributes:
        hidden_size: Length of a token's vector.
        vocab_size: Number of entries of the embedding.
        num_hidden_layers: Number of layers.
        num_attention_heads: Number of query heads.
        intermediate_size: Length of the vector inside the feed-forward layer.
        rms_norm_eps: Epsilon of every norm.
        num_key_value_heads: Number of key heads, and of value heads.
        max_position_embeddings: Positions that the scaled RoPE was made for.
        position_embedding_base: RoPE's theta.
        rope_scaling: None, or ``long_factor`` and ``short_factor``, one number a frequency.
        original_max_position_embeddings: Positions that the short factors were made for.
        head_dim: Length of a head.
        tie_word_embeddings: Whether the output layer shares the embedding's weight.
        partial_rotary_factor: Share of a head's dimensions that is rotated.
    """

    hidden_size: int
    vocab_size: int
    num_hidden_layers: int
    num_attention_heads: int
    intermediate_size: int
    rms_norm_eps: float
    num_key_value_heads: int
    max_position_embeddings: int
    position_embedding_base: float
    rope_scaling: dict[str, Any] | None
    original_max_position_embeddings: int
    head_dim: int
    tie_word_embeddings: bool
    partial_rotary_factor: float

    def longrope(self) -> dict[str, Any] | None:
        """Returns `rope_scaling` with what TVM's rotary embedding reads besides the factors."""
        if self.rope_scaling is None:
            return None
        return {
            **self.rope_scaling,
            "rope_type": "longrope",
            "max_position_embeddings": self.max_position_embeddings,
            "original_max_position_embeddings": self.original_max_position_embeddings,
        }


class Phi3DecoderLayer(PreNormLayer):
    """A phi3's layer."""

    steps = ("ln", "mixer", "post_attention_layernorm", "mlp")

    def __init__(self, config: Phi3Config, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.rms_norm_eps, quantization.model_dtype
        self.ln = RMSNorm(size, epsilon, dtype)
        self.mixer = GroupedQueryAttention(config, quantization, names=("qkv_proj", "out_proj"))
        self.mlp = GatedMLP(quantization, size, config.intermediate_size)
        self.post_attention_layernorm = RMSNorm(size, epsilon, dtype)


class Phi3ForCausalLM(Decoder):
    """A phi3 with its functions."""

    names = Names(body="transformer", embedding="embd", layers="h")

    def __init__(self, config: Phi3Config, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=Phi3DecoderLayer,
            norm=RMSNorm(config.hidden_size, config.rms_norm_eps, quantization.model_dtype),
            tied=config.tie_word_embeddings,
            num_embeddings=config.vocab_size,
            rope_theta=config.position_embedding_base,
            rope_scaling=config.longrope(),
            rotary_dim=int(config.head_dim * config.partial_rotary_factor),
        )
