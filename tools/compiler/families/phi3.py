"""phi3: Phi-3 and Phi-3.5 mini, whose long-context variants scale RoPE by a factor a frequency."""

from __future__ import annotations

import dataclasses
from typing import Any

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.causal_lm import CausalLM
from tools.compiler.functions.kv_cache import KVCacheConfig
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.elementwise import add
from tools.compiler.layers.linear import Embedding, Linear
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


class Phi3DecoderLayer(nn.Module):
    """Attention and feed-forward, each with its norm before and a residual around."""

    def __init__(self, config: Phi3Config, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.rms_norm_eps, quantization.model_dtype
        self.ln = RMSNorm(size, epsilon, dtype)
        self.mixer = GroupedQueryAttention(
            quantization,
            size,
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim,
            names=("qkv_proj", "out_proj"),
        )
        self.mlp = GatedMLP(quantization, size, config.intermediate_size)
        self.post_attention_layernorm = RMSNorm(size, epsilon, dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        x = add(self.mixer(self.ln(x), paged_kv_cache, layer_id), x)
        return add(self.mlp(self.post_attention_layernorm(x)), x)


class Phi3Model(nn.Module):
    """The embedding, the layers and the final norm."""

    def __init__(self, config: Phi3Config, quantization: Quantization) -> None:
        super().__init__()
        self.embd = Embedding(quantization, config.vocab_size, config.hidden_size)
        self.h = nn.ModuleList(
            [Phi3DecoderLayer(config, quantization) for _ in range(config.num_hidden_layers)]
        )
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps, quantization.model_dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        for layer_id, layer in enumerate(self.h):
            x = layer(x, paged_kv_cache, layer_id)
        return self.norm(x)


class Phi3ForCausalLM(CausalLM):
    """A phi3 with its functions."""

    def __init__(self, config: Phi3Config, quantization: Quantization) -> None:
        kv_cache = KVCacheConfig(
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            num_key_value_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            rope_theta=config.position_embedding_base,
            rope_scaling=config.longrope(),
            dtype=quantization.model_dtype,
            enable_disaggregation=False,
            rotary_dim=int(config.head_dim * config.partial_rotary_factor),
        )
        super().__init__(
            config.hidden_size, quantization.model_dtype, kv_cache, exports_hidden_states=False
        )
        self.transformer = Phi3Model(config, quantization)
        self.lm_head = None
        if not config.tie_word_embeddings:
            self.lm_head = Linear(
                quantization, config.hidden_size, "vocab_size", out_dtype="float32"
            )

    def embed(self, input_ids: nn.Tensor) -> nn.Tensor:
        return self.transformer.embd(input_ids)

    def run_layers(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        return self.transformer(x, paged_kv_cache)

    def get_logits(self, hidden_states: nn.Tensor) -> nn.Tensor:
        if self.lm_head is None:
            return self.transformer.embd.lm_head_forward(hidden_states)
        return self.lm_head(hidden_states)
