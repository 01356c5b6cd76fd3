"""Attention layers on the paged KV cache."""

from __future__ import annotations

from tvm import relax
from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.layers.linear import Linear
from tools.compiler.layers.shape import reshape
from tools.compiler.quantization.base import Quantization


class GroupedQueryAttention(nn.Module):
    """Self-attention in which groups of query heads share a key and a value head.

    The cache applies the rotary embedding (see `tools.compiler.functions.kv_cache`).

    Args:
        quantization: How the weights are stored.
        hidden_size: Length of a row of input and output.
        num_attention_heads: Number of query heads.
        num_key_value_heads: Number of key heads, and of value heads; divides the former.
        head_dim: Length of a head.
    """

    def __init__(
        self,
        quantization: Quantization,
        hidden_size: int,
        num_attention_heads: int,
        num_key_value_heads: int,
        head_dim: int,
    ) -> None:
        super().__init__()
        self.num_attention_heads = num_attention_heads
        self.num_heads = num_attention_heads + 2 * num_key_value_heads
        self.head_dim = head_dim
        self.qkv_proj = Linear(quantization, hidden_size, self.num_heads * head_dim)
        self.o_proj = Linear(quantization, num_attention_heads * head_dim, hidden_size)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        """Attends to the cached tokens and to those of ``x``, which are appended to the cache.

        Args:
            x: ``(tokens, hidden_size)``; which sequences the tokens belong to is the cache's state.
            paged_kv_cache: The cache.
            layer_id: Which of the cache's layers this is.

        Returns:
            ``(tokens, hidden_size)``.
        """
        tokens = x.shape[0]
        qkv = reshape(self.qkv_proj(x), tokens, self.num_heads, self.head_dim)
        out = attend(paged_kv_cache, layer_id, qkv, self.num_attention_heads)
        out = reshape(out, tokens, self.num_attention_heads * self.head_dim)
        return self.o_proj(out)


def attend(
    paged_kv_cache: PagedKVCache, layer_id: int, qkv: nn.Tensor, num_attention_heads: int
) -> nn.Tensor:
    """Calls the cache's attention; `PagedKVCache.attention_with_fused_qkv` has a batch axis more.

    Args:
        paged_kv_cache: The cache.
        layer_id: Which of the cache's layers this is.
        qkv: Query, key and value heads ``(tokens, heads, head_dim)``.
        num_attention_heads: How many of the heads are query heads.

    Returns:
        ``(tokens, num_attention_heads, head_dim)``.
    """
    tokens, _, head_dim = qkv.shape
    call = relax.call_dps_packed(
        "vm.builtin.attention_kv_cache_attention_with_fused_qkv",
        [
            paged_kv_cache._expr,
            relax.prim_value(layer_id),
            relax.prim_value(head_dim**-0.5),
            qkv._expr,
        ],
        out_ty=relax.TensorType((tokens, num_attention_heads, head_dim), qkv.dtype),
    )
    return nn.Tensor(_expr=relax.BlockBuilder.current().emit(call, name_hint="attention"))
