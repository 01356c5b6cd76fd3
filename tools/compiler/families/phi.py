"""phi and phi-msft: Phi-1, Phi-1.5 and Phi-2, whose configs come in two spellings."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.causal_lm import CausalLM
from tools.compiler.functions.kv_cache import KVCacheConfig
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.elementwise import add, cast
from tools.compiler.layers.linear import Embedding, Linear
from tools.compiler.layers.mlp import GeluMLP
from tools.compiler.layers.norm import LayerNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class PhiMsftConfig:
    """The fields of a phi-msft's ``model_config``, named as there.

    Attributes:
        vocab_size: Number of entries of the embedding.
        n_embd: Length of a token's vector.
        n_layer: Number of layers.
        n_inner: Length of the vector inside the feed-forward layer.
        n_head: Number of query heads.
        rotary_dim: How many of a head's dimensions are rotated.
        position_embedding_base: RoPE's theta.
        layer_norm_epsilon: Epsilon of every norm.
        n_head_kv: Number of key heads, and of value heads.
        head_dim: Length of a head.
    """

    vocab_size: int
    n_embd: int
    n_layer: int
    n_inner: int
    n_head: int
    rotary_dim: int
    position_embedding_base: float
    layer_norm_epsilon: float
    n_head_kv: int
    head_dim: int


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

    def to_msft(self) -> PhiMsftConfig:
        """Returns the same in the other spelling."""
        return PhiMsftConfig(
            vocab_size=self.vocab_size,
            n_embd=self.hidden_size,
            n_layer=self.num_hidden_layers,
            n_inner=self.intermediate_size,
            n_head=self.num_attention_heads,
            rotary_dim=int(self.head_dim * self.partial_rotary_factor),
            position_embedding_base=self.position_embedding_base,
            layer_norm_epsilon=self.layer_norm_eps,
            n_head_kv=self.num_key_value_heads,
            head_dim=self.head_dim,
        )


class PhiLayer(nn.Module):
    """Attention and feed-forward side by side, after one norm, and a residual around both."""

    def __init__(self, config: PhiMsftConfig, quantization: Quantization) -> None:
        super().__init__()
        size = config.n_embd
        self.ln = LayerNorm(size, config.layer_norm_epsilon, quantization.model_dtype)
        self.mixer = GroupedQueryAttention(
            quantization,
            size,
            config.n_head,
            config.n_head_kv,
            config.head_dim,
            names=("Wqkv", "out_proj"),
            bias=True,
        )
        self.mlp = GeluMLP(quantization, size, config.n_inner, names=("fc1", "fc2"), tanh=True)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        normed = self.ln(x)
        return add(self.mlp(normed), add(self.mixer(normed, paged_kv_cache, layer_id), x))


class PhiModel(nn.Module):
    """The embedding and the layers; the final norm belongs to the output layer."""

    def __init__(self, config: PhiMsftConfig, quantization: Quantization) -> None:
        super().__init__()
        self.embd = Embedding(quantization, config.vocab_size, config.n_embd)
        self.h = nn.ModuleList([PhiLayer(config, quantization) for _ in range(config.n_layer)])

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        for layer_id, layer in enumerate(self.h):
            x = layer(x, paged_kv_cache, layer_id)
        return x


class PhiHead(nn.Module):
    """The final norm and the output layer, which has a bias."""

    def __init__(self, config: PhiMsftConfig, quantization: Quantization) -> None:
        super().__init__()
        self.ln = LayerNorm(config.n_embd, config.layer_norm_epsilon, quantization.model_dtype)
        self.linear = Linear(quantization, config.n_embd, "vocab_size", bias=True)

    def forward(self, x: nn.Tensor) -> nn.Tensor:
        """``(tokens, size) -> (tokens, vocab_size) float32``, summed in float32."""
        logits = self.linear.product(self.ln(x), "float32")
        return add(logits, cast(self.linear.bias, "float32"))


class PhiForCausalLM(CausalLM):
    """A phi with its functions; its hidden states are those before the final norm."""

    def __init__(self, config: PhiMsftConfig | PhiConfig, quantization: Quantization) -> None:
        if isinstance(config, PhiConfig):
            config = config.to_msft()
        kv_cache = KVCacheConfig(
            num_hidden_layers=config.n_layer,
            num_attention_heads=config.n_head,
            num_key_value_heads=config.n_head_kv,
            head_dim=config.head_dim,
            rope_theta=config.position_embedding_base,
            rope_scaling=None,
            dtype=quantization.model_dtype,
            enable_disaggregation=False,
            rotary_dim=config.rotary_dim,
        )
        super().__init__(
            config.n_embd, quantization.model_dtype, kv_cache, exports_hidden_states=False
        )
        self.transformer = PhiModel(config, quantization)
        self.lm_head = PhiHead(config, quantization)

    def embed(self, input_ids: nn.Tensor) -> nn.Tensor:
        return self.transformer.embd(input_ids)

    def run_layers(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        return self.transformer(x, paged_kv_cache)

    def get_logits(self, hidden_states: nn.Tensor) -> nn.Tensor:
        return self.lm_head(hidden_states)
