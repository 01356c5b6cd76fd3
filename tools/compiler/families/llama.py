"""llama: Llama 1 to 3.2, TinyLlama and the many models that share their architecture."""

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


class LlamaDecoderLayer(nn.Module):
    """Attention and feed-forward, each with its norm before and a residual around."""

    def __init__(
        self, config: LlamaConfig, quantization: Quantization, activation: Activation
    ) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.rms_norm_eps, quantization.model_dtype
        self.self_attn = GroupedQueryAttention(
            quantization,
            size,
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim,
        )
        self.mlp = GatedMLP(quantization, size, config.intermediate_size, activation)
        self.input_layernorm = RMSNorm(size, epsilon, dtype)
        self.post_attention_layernorm = RMSNorm(size, epsilon, dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        x = add(self.self_attn(self.input_layernorm(x), paged_kv_cache, layer_id), x)
        return add(self.mlp(self.post_attention_layernorm(x)), x)


class LlamaModel(nn.Module):
    """The embedding, the layers and the final norm."""

    def __init__(
        self, config: LlamaConfig, quantization: Quantization, activation: Activation
    ) -> None:
        super().__init__()
        self.embed_tokens = Embedding(quantization, "vocab_size", config.hidden_size)
        self.layers = nn.ModuleList(
            [
                LlamaDecoderLayer(config, quantization, activation)
                for _ in range(config.num_hidden_layers)
            ]
        )
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps, quantization.model_dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        for layer_id, layer in enumerate(self.layers):
            x = layer(x, paged_kv_cache, layer_id)
        return self.norm(x)


class LlamaForCausalLM(CausalLM):
    """A llama with its functions; base of the families that have its layers.

    Args:
        config: The model's sizes.
        quantization: How the weights are stored.
        activation: Of the feed-forward layers' gates.
        exports_hidden_states: See `CausalLM`.
    """

    def __init__(
        self,
        config: LlamaConfig,
        quantization: Quantization,
        *,
        activation: Activation = "silu",
        exports_hidden_states: bool = True,
    ) -> None:
        kv_cache = KVCacheConfig(
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            num_key_value_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            rope_theta=config.position_embedding_base,
            rope_scaling=config.rope_scaling,
            dtype=quantization.model_dtype,
            enable_disaggregation=config.disaggregation,
        )
        super().__init__(
            config.hidden_size, quantization.model_dtype, kv_cache, exports_hidden_states
        )
        self.model = LlamaModel(config, quantization, activation)
        self.lm_head = None
        if not config.tie_word_embeddings:
            self.lm_head = Linear(
                quantization, config.hidden_size, "vocab_size", out_dtype="float32"
            )

    def embed(self, input_ids: nn.Tensor) -> nn.Tensor:
        return self.model.embed_tokens(input_ids)

    def run_layers(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        return self.model(x, paged_kv_cache)

    def get_logits(self, hidden_states: nn.Tensor) -> nn.Tensor:
        if self.lm_head is None:
            return self.model.embed_tokens.lm_head_forward(hidden_states)
        return self.lm_head(hidden_states)
