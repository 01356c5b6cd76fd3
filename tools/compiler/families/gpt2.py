"""gpt2: GPT-2 in its four sizes, with learned positions and no rotary embedding."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.causal_lm import CausalLM
from tools.compiler.functions.kv_cache import KVCacheConfig
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.elementwise import add
from tools.compiler.layers.linear import Embedding, Linear
from tools.compiler.layers.mlp import GeluMLP
from tools.compiler.layers.norm import LayerNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class GPT2Config:
    """The fields of a gpt2's ``model_config``, named as there.

    Attributes:
        n_embd: Length of a token's vector.
        n_layer: Number of layers.
        n_head: Number of heads, of queries, keys and values alike.
        layer_norm_epsilon: Epsilon of every norm.
        n_inner: Length of the vector inside the feed-forward layer.
        context_window_size: Number of learned positions.
        scale_attn_by_inverse_layer_idx: Whether layer ``i``'s scores are divided by ``i + 1``.
        head_dim: Length of a head.
    """

    n_embd: int
    n_layer: int
    n_head: int
    layer_norm_epsilon: float
    n_inner: int
    context_window_size: int
    scale_attn_by_inverse_layer_idx: bool
    head_dim: int


class GPT2Layer(nn.Module):
    """Attention and feed-forward, each with its norm before and a residual around."""

    def __init__(self, config: GPT2Config, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.n_embd, config.layer_norm_epsilon, quantization.model_dtype
        self.scale_by_layer = config.scale_attn_by_inverse_layer_idx
        self.head_dim = config.head_dim
        self.ln_1 = LayerNorm(size, epsilon, dtype)
        self.attn = GroupedQueryAttention(
            quantization,
            size,
            config.n_head,
            config.n_head,
            config.head_dim,
            names=("c_attn", "c_proj"),
            bias=True,
        )
        self.ln_2 = LayerNorm(size, epsilon, dtype)
        self.mlp = GeluMLP(quantization, size, config.n_inner, names=("c_fc", "c_proj"), tanh=True)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        scale = self.head_dim**-0.5 / (layer_id + 1 if self.scale_by_layer else 1)
        x = add(self.attn(self.ln_1(x), paged_kv_cache, layer_id, scale=scale), x)
        return add(self.mlp(self.ln_2(x)), x)


class GPT2Model(nn.Module):
    """The embeddings of tokens and positions, the layers and the final norm."""

    def __init__(self, config: GPT2Config, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.n_embd, config.layer_norm_epsilon, quantization.model_dtype
        self.wte = Embedding(quantization, "vocab_size", size)
        self.wpe = Embedding(quantization, config.context_window_size, size)
        self.h = nn.ModuleList([GPT2Layer(config, quantization) for _ in range(config.n_layer)])
        self.ln_f = LayerNorm(size, epsilon, dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        # Where each row is in its sequence is the cache's state, like the sequences themselves.
        x = add(x, self.wpe(paged_kv_cache.get_query_positions(x.shape[0])))
        for layer_id, layer in enumerate(self.h):
            x = layer(x, paged_kv_cache, layer_id)
        return self.ln_f(x)


class GPT2LMHeadModel(CausalLM):
    """A gpt2 with its functions."""

    def __init__(self, config: GPT2Config, quantization: Quantization) -> None:
        kv_cache = KVCacheConfig(
            num_hidden_layers=config.n_layer,
            num_attention_heads=config.n_head,
            num_key_value_heads=config.n_head,
            head_dim=config.head_dim,
            rope_theta=10000,
            rope_scaling=None,
            dtype=quantization.model_dtype,
            enable_disaggregation=False,
            rotary_dim=0,
        )
        super().__init__(
            config.n_embd, quantization.model_dtype, kv_cache, exports_hidden_states=False
        )
        self.transformer = GPT2Model(config, quantization)
        self.lm_head = Linear(quantization, config.n_embd, "vocab_size", out_dtype="float32")

    def embed(self, input_ids: nn.Tensor) -> nn.Tensor:
        return self.transformer.wte(input_ids)

    def run_layers(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        return self.transformer(x, paged_kv_cache)

    def get_logits(self, hidden_states: nn.Tensor) -> nn.Tensor:
        return self.lm_head(hidden_states)
