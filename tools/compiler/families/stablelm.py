"""stablelm: StableLM 3B and StableLM 2; a llama with layer norms and a partial rotary embedding."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.causal_lm import CausalLM
from tools.compiler.functions.kv_cache import KVCacheConfig
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.elementwise import add
from tools.compiler.layers.linear import Embedding, Linear
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


class StableLMDecoderLayer(nn.Module):
    """Attention and feed-forward, each with its norm before and a residual around."""

    def __init__(self, config: StableLMConfig, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.layer_norm_eps, quantization.model_dtype
        self.self_attn = GroupedQueryAttention(
            quantization,
            size,
            config.num_attention_heads,
            config.num_key_value_heads,
            config.head_dim,
        )
        if config.use_qkv_bias:
            rows = self.self_attn.num_heads * config.head_dim
            self.self_attn.qkv_proj = Linear(quantization, size, rows, bias=True)
        self.mlp = GatedMLP(quantization, size, config.intermediate_size)
        self.input_layernorm = LayerNorm(size, epsilon, dtype)
        self.post_attention_layernorm = LayerNorm(size, epsilon, dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        x = add(self.self_attn(self.input_layernorm(x), paged_kv_cache, layer_id), x)
        return add(self.mlp(self.post_attention_layernorm(x)), x)


class StableLMModel(nn.Module):
    """The embedding, the layers and the final norm."""

    def __init__(self, config: StableLMConfig, quantization: Quantization) -> None:
        super().__init__()
        self.embed_tokens = Embedding(quantization, config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(
            [StableLMDecoderLayer(config, quantization) for _ in range(config.num_hidden_layers)]
        )
        self.norm = LayerNorm(config.hidden_size, config.layer_norm_eps, quantization.model_dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        for layer_id, layer in enumerate(self.layers):
            x = layer(x, paged_kv_cache, layer_id)
        return self.norm(x)


class StableLMForCausalLM(CausalLM):
    """A stablelm with its functions."""

    def __init__(self, config: StableLMConfig, quantization: Quantization) -> None:
        kv_cache = KVCacheConfig(
            num_hidden_layers=config.num_hidden_layers,
            num_attention_heads=config.num_attention_heads,
            num_key_value_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            rope_theta=config.rope_theta,
            rope_scaling=None,
            dtype=quantization.model_dtype,
            enable_disaggregation=False,
            rotary_dim=int(config.head_dim * config.partial_rotary_factor),
        )
        super().__init__(
            config.hidden_size, quantization.model_dtype, kv_cache, exports_hidden_states=False
        )
        self.model = StableLMModel(config, quantization)
        self.lm_head = Linear(
            quantization, config.hidden_size, config.vocab_size, out_dtype="float32"
        )

    def embed(self, input_ids: nn.Tensor) -> nn.Tensor:
        return self.model.embed_tokens(input_ids)

    def run_layers(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        return self.model(x, paged_kv_cache)

    def get_logits(self, hidden_states: nn.Tensor) -> nn.Tensor:
        return self.lm_head(hidden_states)
