"""phi and phi-msft: Phi-1, Phi-1.5 and Phi-2, whose configs come in two spellings."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.decoder import Decoder, Names
from tools.compiler.families.gpt_sizes import GPTSizes
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.elementwise import add, cast
from tools.compiler.layers.linear import Linear
from tools.compiler.layers.mlp import GeluMLP
from tools.compiler.layers.norm import LayerNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class PhiMsftConfig(GPTSizes):
    """The fields of a phi-msft's ``model_config``, named as there; see `GPTSizes`.

    Attributes:
        vocab_size: Number of entries of the embedding.
        rotary_dim: How many of a head's dimensions are rotated.
        position_embedding_base: RoPE's theta.
        layer_norm_epsilon: Epsilon of every norm.
        n_head_kv: Number of key heads, and of value heads.
    """

    vocab_size: int
    rotary_dim: int
    position_embedding_base: float
    layer_norm_epsilon: float
    n_head_kv: int

    @property
    def num_key_value_heads(self) -> int:
        return self.n_head_kv

    @property
    def layer_norm_eps(self) -> float:
        return self.layer_norm_epsilon


@dataclasses.dataclass(frozen=True)
class PhiConfig:
    """The fields of a phi's ``model_config``, named as there.

    Attributes:
        vocab_size: Number of entries of the embedding.
        hidden_size: Length of a token's vector.
        intermediate_size: Length of the vector inside the feed-forward layer.
        num_hidden_layers: Number of layers.
        num_attention_heads: Number of query heads.
        layer_norm_eps: Epsilon of every norm.
        position_embedding_base: RoPE's theta.
        partial_rotary_factor: Share of a head's dimensions that is rotated.
        num_key_value_heads: Number of key heads, and of value heads.
        head_dim: Length of a head.
    """

    vocab_size: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    layer_norm_eps: float
    position_embedding_base: float
    partial_rotary_factor: float
    num_key_value_heads: int
    head_dim: int

    @property
    def rotary_dim(self) -> int:
        """How many of a head's dimensions are rotated."""
        return int(self.head_dim * self.partial_rotary_factor)


class PhiLayer(nn.Module):
    """Attention and feed-forward side by side, after one norm, and a residual around both."""

    def __init__(self, config: PhiConfig | PhiMsftConfig, quantization: Quantization) -> None:
        super().__init__()
        size = config.hidden_size
        self.ln = LayerNorm(size, config.layer_norm_eps, quantization.model_dtype)
        self.mixer = GroupedQueryAttention(
            config, quantization, names=("Wqkv", "out_proj"), qkv_bias=True, out_bias=True
        )
        names = ("fc1", "fc2")
        self.mlp = GeluMLP(quantization, size, config.intermediate_size, names=names, tanh=True)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        normed = self.ln(x)
        return add(self.mlp(normed), add(self.mixer(normed, paged_kv_cache, layer_id), x))


class PhiHead(nn.Module):
    """The final norm and the output layer, which has a bias."""

    def __init__(self, config: PhiConfig | PhiMsftConfig, quantization: Quantization) -> None:
        super().__init__()
        self.ln = LayerNorm(config.hidden_size, config.layer_norm_eps, quantization.model_dtype)
        self.linear = Linear(quantization, config.hidden_size, "vocab_size", bias=True)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """``(tokens, size) -> (tokens, vocab_size) float32``, summed in float32."""
        logits = self.linear.product(self.ln(x), "float32")
        return add(logits, cast(self.linear.bias, "float32"))


class PhiForCausalLM(Decoder):
    """A phi with its functions; its hidden states are those before the final norm."""

    names = Names(body="transformer", embedding="embd", layers="h")

    def __init__(self, config: PhiConfig | PhiMsftConfig, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=PhiLayer,
            norm=None,
            head=PhiHead(config, quantization),
            num_embeddings=config.vocab_size,
            rope_theta=config.position_embedding_base,
            rotary_dim=config.rotary_dim,
        )
