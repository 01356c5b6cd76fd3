"""qwen2: Qwen 1.5, Qwen 2 and Qwen 2.5, a llama whose query, key and value have a bias."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.causal_lm import CausalLM
from tools.compiler.functions.kv_cache import KVCacheConfig
from tools.compiler.layers.attention import attend
from tools.compiler.layers.elementwise import add
from tools.compiler.layers.linear import Embedding, Linear
from tools.compiler.layers.mlp import GatedMLP
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.layers.shape import reshape
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


class Qwen2Attention(nn.Module):
    """Self-attention in which groups of query heads share a key and a value head."""

    def __init__(self, config: Qwen2Config, quantization: Quantization) -> None:
        super().__init__()
        self.num_attention_heads = config.num_attention_heads
        self.num_heads = config.num_attention_heads + 2 * config.num_key_value_heads
        self.head_dim = config.head_dim
        size = config.hidden_size
        self.c_attn = Linear(
            quantization, size, self.num_heads * self.head_dim, bias=self.has_bias(config)
        )
        self.o_proj = Linear(quantization, self.num_attention_heads * self.head_dim, size)

    @staticmethod
    def has_bias(config: Qwen2Config) -> bool:
        """Whether the projection to query, key and value has a bias."""
        return True

    def prepare(self, qkv: nn.Tensor) -> nn.Tensor:
        """What is done to the heads ``(tokens, heads, head_dim)`` before the rotary embedding."""
        return qkv

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        tokens = x.shape[0]
        qkv = self.prepare(reshape(self.c_attn(x), tokens, self.num_heads, self.head_dim))
        out = attend(paged_kv_cache, layer_id, qkv, self.num_attention_heads)
        return self.o_proj(reshape(out, tokens, self.num_attention_heads * self.head_dim))


class Qwen2DecoderLayer(nn.Module):
    """Attention and feed-forward, each with its norm before and a residual around."""

    def __init__(
        self, config: Qwen2Config, quantization: Quantization, attention: type[Qwen2Attention]
    ) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.rms_norm_eps, quantization.model_dtype
        self.self_attn = attention(config, quantization)
        self.mlp = GatedMLP(quantization, size, config.intermediate_size)
        self.input_layernorm = RMSNorm(size, epsilon, dtype)
        self.post_attention_layernorm = RMSNorm(size, epsilon, dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        x = add(self.self_attn(self.input_layernorm(x), paged_kv_cache, layer_id), x)
        return add(self.mlp(self.post_attention_layernorm(x)), x)


class Qwen2Model(nn.Module):
    """The embedding, the layers and the final norm."""

    def __init__(
        self, config: Qwen2Config, quantization: Quantization, attention: type[Qwen2Attention]
    ) -> None:
        super().__init__()
        self.embed_tokens = Embedding(quantization, config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            [
                Qwen2DecoderLayer(config, quantization, attention)
                for _ in range(config.num_hidden_layers)
            ]
        )
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps, quantization.model_dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        for layer_id, layer in enumerate(self.layers):
            x = layer(x, paged_kv_cache, layer_id)
        return self.norm(x)


class Qwen2ForCausalLM(CausalLM):
    """A qwen2 with its functions; qwen3 has other attention layers."""

    attention = Qwen2Attention

    def __init__(self, config: Qwen2Config, quantization: Quantization) -> None:
        kv_cache = KVCacheConfig(
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            num_key_value_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            rope_theta=config.rope_theta,
            rope_scaling=None,
            dtype=quantization.model_dtype,
            enable_disaggregation=False,
        )
        super().__init__(
            config.hidden_size, quantization.model_dtype, kv_cache, exports_hidden_states=False
        )
        self.model = Qwen2Model(config, quantization, self.attention)
        self.lm_head = None
        if not config.tie_word_embeddings:
            self.lm_head = Linear(
                quantization, config.hidden_size, config.vocab_size, out_dtype="float32"
            )

    def embed(self, input_ids: nn.Tensor) -> nn.Tensor:
        return self.model.embed_tokens(input_ids)

    def run_layers(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        return self.model(x, paged_kv_cache)

    def get_logits(self, hidden_states: nn.Tensor) -> nn.Tensor:
        if self.lm_head is None:
            return self.model.embed_tokens.lm_head_forward(hidden_states)
        return self.lm_head(hidden_states)
