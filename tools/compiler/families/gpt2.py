"""gpt2: GPT-2 in its four sizes, with learned positions and no rotary embedding."""

from __future__ import annotations

import dataclasses

from tools.compiler.families.decoder import Decoder, Names
from tools.compiler.families.gpt_sizes import GPTSizes
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.decoder_layer import PreNormLayer
from tools.compiler.layers.mlp import GeluMLP
from tools.compiler.layers.norm import LayerNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class GPT2Config(GPTSizes):
    """The fields of a gpt2's ``model_config``, named as there; see `GPTSizes`.

    Attributes:
        layer_norm_epsilon: Epsilon of every norm.
        context_window_size: Number of learned positions.
        scale_attn_by_inverse_layer_idx: Whether layer ``i``'s scores are divided by ``i + 1``.
    """

    layer_norm_epsilon: float
    context_window_size: int
    scale_attn_by_inverse_layer_idx: bool

    @property
    def num_key_value_heads(self) -> int:
        """Number of key heads, and of value heads."""
        return self.n_head


class GPT2Attention(GroupedQueryAttention):
    """Attention whose scores may depend on the layer."""

    def __init__(self, config: GPT2Config, quantization: Quantization) -> None:
        super().__init__(
            config, quantization, names=("c_attn", "c_proj"), qkv_bias=True, out_bias=True
        )
        self.scale_by_layer = config.scale_attn_by_inverse_layer_idx

    def scale(self, layer_id: int) -> float:
        return super().scale(layer_id) / (layer_id + 1 if self.scale_by_layer else 1)


class GPT2Layer(PreNormLayer):
    """A gpt2's layer."""

    steps = ("ln_1", "attn", "ln_2", "mlp")

    def __init__(self, config: GPT2Config, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.n_embd, config.layer_norm_epsilon, quantization.model_dtype
        self.ln_1 = LayerNorm(size, epsilon, dtype)
        self.attn = GPT2Attention(config, quantization)
        self.ln_2 = LayerNorm(size, epsilon, dtype)
        self.mlp = GeluMLP(quantization, size, config.n_inner, names=("c_fc", "c_proj"), tanh=True)


class GPT2LMHeadModel(Decoder):
    """A gpt2 with its functions."""

    names = Names(body="transformer", embedding="wte", layers="h", norm="ln_f")

    def __init__(self, config: GPT2Config, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=GPT2Layer,
            norm=LayerNorm(config.n_embd, config.layer_norm_epsilon, quantization.model_dtype),
            num_positions=config.context_window_size,
            rotary_dim=0,
        )
