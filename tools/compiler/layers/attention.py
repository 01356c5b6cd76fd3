"""Attention layers on the paged KV cache."""

from __future__ import annotations

from typing import Protocol

from tvm import relax
from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.layers.linear import Linear
from tools.compiler.layers.shape import reshape
from tools.compiler.quantization.base import Quantization


class AttentionConfig(Protocol):
    """What `GroupedQueryAttention` reads of a family's config.

    Attributes:
        hidden_size: Length of a token's vector.
        num_attention_heads: Number of query heads.
        num_key_value_heads: Number of key heads, and of value heads; divides the former.
        head_dim: Length of a head.
    """

    hidden_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int


class GroupedQueryAttention(nn.Module):
    """Self-attention in which groups of query heads share a key and a value head.

    The cache applies the rotary embedding (see `tools.compiler.functions.kv_cache`).

    Args:
        config: The sizes.
        quantization: How the weights are stored.
        names: Attribute names of the layers before and after the attention.
        qkv_bias: Whether the layer before has a bias.
        out_bias: Whether the layer after has a bias.
    """

    def __init__(
        self,
        config: AttentionConfig,
        quantization: Quantization,
        *,
        names: tuple[str, str] = ("qkv_proj", "o_proj"),
        qkv_bias: bool = False,
        out_bias: bool = False,
    ) -> None:
        super().__init__()
        self.num_attention_heads = config.num_attention_heads
        self.num_heads = config.num_attention_heads + 2 * config.num_key_value_heads
        self.head_dim = config.head_dim
        self.names = names
        query_size = config.num_attention_heads * config.head_dim
        qkv = Linear(
            quantization, config.hidden_size, self.num_heads * config.head_dim, bias=qkv_bias
        )
        out = Linear(quantization, query_size, config.hidden_size, bias=out_bias)
        setattr(self, names[0], qkv)
        setattr(self, names[1], out)

    def scale(self, layer_id: int) -> float:
        """Returns what the scores of a layer are multiplied by."""
        return self.head_dim**-0.5

    def heads(self, x: nn.Tensor) -> nn.Tensor:
        """Returns query, key and value heads before the rotary embedding.

        ``(tokens, hidden_size) -> (tokens, num_heads, head_dim)``.
        """
        qkv_proj = getattr(self, self.names[0])
        return reshape(qkv_proj(x), x.shape[0], self.num_heads, self.head_dim)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        """Attends to the cached tokens and to those of ``x``, which are appended to the cache.

        Args:
            x: ``(tokens, hidden_size)``; which sequences the tokens belong to is the cache's state.
            paged_kv_cache: The cache.
            layer_id: Which of the cache's layers this is.

        Returns:
            ``(tokens, hidden_size)``.
        """
        out = attend(
            paged_kv_cache, layer_id, self.heads(x), self.num_attention_heads, self.scale(layer_id)
        )
        o_proj = getattr(self, self.names[1])
        return o_proj(reshape(out, x.shape[0], self.num_attention_heads * self.head_dim))


def attend(
    paged_kv_cache: PagedKVCache,
    layer_id: int,
    qkv: nn.Tensor,
    num_attention_heads: int,
    scale: float,
) -> nn.Tensor:
    """Calls the cache's attention; `PagedKVCache.attention_with_fused_qkv` has a batch axis more.

    Args:
        paged_kv_cache: The cache.
        layer_id: Which of the cache's layers this is.
        qkv: Query, key and value heads ``(tokens, heads, head_dim)``.
        num_attention_heads: How many of the heads are query heads.
        scale: Of the scores.

    Returns:
        ``(tokens, num_attention_heads, head_dim)``.
    """
    tokens, _, head_dim = qkv.shape
    call = relax.call_dps_packed(
        "vm.builtin.attention_kv_cache_attention_with_fused_qkv",
        [
            paged_kv_cache._expr,
            relax.prim_value(layer_id),
            relax.prim_value(scale),
            qkv._expr,
        ],
        out_ty=relax.TensorType((tokens, num_attention_heads, head_dim), qkv.dtype),
    )
    return nn.Tensor(_expr=relax.BlockBuilder.current().emit(call, name_hint="attention"))
