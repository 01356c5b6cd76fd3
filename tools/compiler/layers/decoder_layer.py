"""The form that most families' layers have."""

from __future__ import annotations

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.layers.elementwise import add


class PreNormLayer(nn.Module):
    """Attention and feed-forward, each with its norm before and a residual around.

    A family's layer assigns the four modules, in the order of its parameters, and says which is
    which.

    Attributes:
        steps: Attribute names of the norm before the attention, the attention, the norm before
            the feed-forward layer, and the feed-forward layer.
    """

    steps = ("input_layernorm", "self_attn", "post_attention_layernorm", "mlp")

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        """``(tokens, hidden_size) -> (tokens, hidden_size)``."""
        attention_norm, attention, mlp_norm, mlp = (getattr(self, name) for name in self.steps)
        x = add(attention(attention_norm(x), paged_kv_cache, layer_id), x)
        return add(mlp(mlp_norm(x)), x)
