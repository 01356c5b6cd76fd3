"""gpt_neox: Pythia, RedPajama, Dolly and others that share their architecture."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.decoder import Decoder, Names
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.elementwise import add
from tools.compiler.layers.mlp import GeluMLP
from tools.compiler.layers.norm import LayerNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class GPTNeoXConfig:
    """The fields of a gpt_neox's ``model_config``, named as there.

    Attributes:
        use_parallel_residual: Whether the feed-forward layer reads the layer's input, as attention
            does, rather than what attention has made of it.
        hidden_size: Length of a token's vector.
        intermediate_size: Length of the vector inside the feed-forward layer.
        num_attention_heads: Number of heads, of queries, keys and values alike.
        num_hidden_layers: Number of layers.
        layer_norm_eps: Epsilon of every norm.
        rotary_pct: Share of a head's dimensions that is rotated.
        position_embedding_base: RoPE's theta.
        head_dim: Length of a head.
        ffn_out_dtype: dtype of the feed-forward layer's products and biases.
    """

    use_parallel_residual: bool
    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_hidden_layers: int
    layer_norm_eps: float
    rotary_pct: float
    position_embedding_base: float
    head_dim: int
    ffn_out_dtype: str

    @property
    def num_key_value_heads(self) -> int:
        """Number of key heads, and of value heads."""
        return self.num_attention_heads


class GPTNeoXLayer(nn.Module):
    """Attention and feed-forward, one after the other or side by side."""

    def __init__(self, config: GPTNeoXConfig, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.hidden_size, config.layer_norm_eps, quantization.model_dtype
        self.use_parallel_residual = config.use_parallel_residual
        self.input_layernorm = LayerNorm(size, epsilon, dtype)
        self.post_attention_layernorm = LayerNorm(size, epsilon, dtype)
        self.attention = GroupedQueryAttention(
            config,
            quantization,
            names=("query_key_value", "dense"),
            qkv_bias=True,
            out_bias=True,
        )
        self.mlp = GeluMLP(
            quantization,
            size,
            config.intermediate_size,
            names=("dense_h_to_4h", "dense_4h_to_h"),
            tanh=False,
            product_dtype=config.ffn_out_dtype,
        )

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        attended = add(self.attention(self.input_layernorm(x), paged_kv_cache, layer_id), x)
        mlp_input = x if self.use_parallel_residual else attended
        return add(self.mlp(self.post_attention_layernorm(mlp_input)), attended)


class GPTNeoXForCausalLM(Decoder):
    """A gpt_neox with its functions."""

    names = Names(body="gpt_neox", embedding="embed_in", norm="final_layer_norm", head="embed_out")

    def __init__(self, config: GPTNeoXConfig, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=GPTNeoXLayer,
            norm=LayerNorm(config.hidden_size, config.layer_norm_eps, quantization.model_dtype),
            rope_theta=config.position_embedding_base,
            rotary_dim=int(config.head_dim * config.rotary_pct),
        )
