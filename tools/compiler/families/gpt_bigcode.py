"""gpt_bigcode: StarCoder and SantaCoder, a gpt2 whose query heads share one key and value head."""

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
class GPTBigCodeConfig(GPTSizes):
    """The fields of a gpt_bigcode's ``model_config``, named as there; see `GPTSizes`.

    Attributes:
        layer_norm_epsilon: Epsilon of every norm.
        n_positions: Number of learned positions.
        activation_function: Of the feed-forward layer: ``gelu`` or ``gelu_pytorch_tanh``.
    """

    layer_norm_epsilon: float
    n_positions: int
    activation_function: str

    @property
    def num_key_value_heads(self) -> int:
        """Number of key heads, and of value heads."""
        return 1


class GPTBigCodeBlock(PreNormLayer):
    """A gpt_bigcode's layer."""

    steps = ("ln_1", "attn", "ln_2", "mlp")

    def __init__(self, config: GPTBigCodeConfig, quantization: Quantization) -> None:
        super().__init__()
        size, epsilon, dtype = config.n_embd, config.layer_norm_epsilon, quantization.model_dtype
        self.attn = GroupedQueryAttention(
            config, quantization, names=("c_attn", "c_proj"), qkv_bias=True, out_bias=True
        )
        self.mlp = GeluMLP(
            quantization,
            size,
            config.n_inner,
            names=("c_fc", "c_proj"),
            tanh=config.activation_function != "gelu",
        )
        self.ln_1 = LayerNorm(size, epsilon, dtype)
        self.ln_2 = LayerNorm(size, epsilon, dtype)


class GPTBigCodeForCausalLM(Decoder):
    """A gpt_bigcode with its functions."""

    names = Names(body="transformer", embedding="wte", layers="h", norm="ln_f")

    def __init__(self, config: GPTBigCodeConfig, quantization: Quantization) -> None:
        super().__init__(
            config,
            quantization,
            layer=GPTBigCodeBlock,
            norm=LayerNorm(config.n_embd, config.layer_norm_epsilon, quantization.model_dtype),
            num_positions=config.n_positions,
            rotary_dim=0,
        )
