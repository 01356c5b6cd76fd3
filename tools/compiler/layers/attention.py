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
        names: Attribute names of the layers before and after the attention.
        bias: Whether those layers have a bias.
    """

    def __init__(
        self,
        quantization: Quantization,
        hidden_size: int,
        num_attention_heads: int,
        num_key_value_heads: int,
        head_dim: int,
        *,
        names: tuple[str, str] = ("qkv_proj", "o_proj"),
        bias: bool = False,
    ) -> None:
        super().__init__()
        self.num_attention_heads = num_attention_heads
        self.num_heads = num_attention_heads + 2 * num_key_value_heads
        self.head_dim = head_dim
        self.names = names
        query_size = num_attention_heads * head_dim
        qkv = Linear(quantization, hidden_size, self.num_heads * head_dim, bias=bias)
        setattr(self, names[0], qkv)
        setattr(self, names[1], Linear(quantization, query_size, hidden_size, bias=bias))

    def forward(
        self,
        x: nn.Tensor,
        paged_kv_cache: PagedKVCache,
        layer_id: int,
        *,
        scale: float | None = None,
    ) -> nn.Tensor:
        """Attends to the cached tokens and to those of ``x``, which are appended to the cache.

        Args:
            x: ``(tokens, hidden_size)``; which sequences the tokens belong to is the cache's state.
            paged_kv_cache: The cache.
            layer_id: Which of the cache's layers this is.
            scale: Of the scores; ``head_dim ** -0.5`` where None.

        Returns:
            ``(tokens, hidden_size)``.
        """
        qkv_proj, o_proj = (getattr(self, name) for name in self.names)
        tokens = x.shape[0]
        qkv = reshape(qkv_proj(x), tokens, self.num_heads, self.head_dim)
        out = attend(paged_kv_cache, layer_id, qkv, self.num_attention_heads, scale)
        out = reshape(out, tokens, self.num_attention_heads * self.head_dim)
        return o_proj(out)


def attend(
    paged_kv_cache: PagedKVCache,
    layer_id: int,
    qkv: nn.Tensor,
    num_attention_heads: int,
    scale: float | None = None,
) -> nn.Tensor:
    """Calls the cache's attention; `PagedKVCache.attention_with_fused_qkv` has a batch axis more.

    Args:
        paged_kv_cache: The cache.
        layer_id: Which of the cache's layers this is.
        qkv: Query, key and value heads ``(tokens, heads, head_dim)``.
        num_attention_heads: How many of the heads are query heads.
        scale: Of the scores; ``head_dim ** -0.5`` where None.

    Returns:
        ``(tokens, num_attention_heads, head_dim)``.
    """
    tokens, _, head_dim = qkv.shape
    call = relax.call_dps_packed(
        "vm.builtin.attention_kv_cache_attention_with_fused_qkv",
        [
            paged_kv_cache._expr,
            relax.prim_value(layer_id),
            relax.prim_value(head_dim**-0.5 if scale is None else scale),
            qkv._expr,
        ],
        out_ty=relax.TensorType((tokens, num_attention_heads, head_dim), qkv.dtype),
    )
    return nn.Tensor(_expr=relax.BlockBuilder.current().emit(call, name_hint="attention"))
