"""qwen3: a qwen2 that normalises every query and key head, its bias being optional."""

from __future__ import annotations

import dataclasses

from tvm import te, tirx
from tvm.relax.frontend import nn

from tools.compiler.families.qwen2 import Qwen2Attention, Qwen2Config, Qwen2ForCausalLM
from tools.compiler.layers.kernel import call_kernel
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class Qwen3Config(Qwen2Config):
    """The fields of a qwen3's ``model_config``; ``head_dim`` is independent of ``hidden_size``.

    Attributes:
        attention_bias: Whether the projection to query, key and value has a bias.
    """

    attention_bias: bool


class Qwen3Attention(Qwen2Attention):
    """Attention whose query and key heads are normalised, each by the weight of its kind."""

    def __init__(self, config: Qwen3Config, quantization: Quantization) -> None:
        super().__init__(config, quantization)
        self.epsilon = config.rms_norm_eps
        self.num_normalised = config.num_attention_heads + config.num_key_value_heads
        self.q_norm = RMSNorm(config.head_dim, config.rms_norm_eps, quantization.model_dtype)
        self.k_norm = RMSNorm(config.head_dim, config.rms_norm_eps, quantization.model_dtype)

    @staticmethod
    def has_bias(config: Qwen3Config) -> bool:
        return config.attention_bias

    def prepare(self, qkv: nn.Tensor) -> nn.Tensor:
        queries, normalised, epsilon = self.num_attention_heads, self.num_normalised, self.epsilon

        def normalise(heads: te.Tensor, query: te.Tensor, key: te.Tensor) -> te.Tensor:
            """One kernel for all heads: they are read once, and written where the cache reads."""
            tokens, num_heads, size = heads.shape
            k = te.reduce_axis((0, size), "k")
            squares = te.compute(
                (tokens, num_heads),
                lambda i, h: te.sum(
                    heads[i, h, k].astype("float32") * heads[i, h, k].astype("float32"), axis=k
                ),
                name="squares",
            )

            def element(i, h, d):
                value = heads[i, h, d].astype("float32")
                weight = tirx.if_then_else(h < queries, query[d], key[d]).astype("float32")
                scale = tirx.rsqrt(squares[i, h] / size + tirx.const(epsilon, "float32"))
                scaled = tirx.if_then_else(h < normalised, value * scale * weight, value)
                return scaled.astype(heads.dtype)

            return te.compute(heads.shape, element, name="head_norm")

        return call_kernel(
            normalise,
            "head_norm",
            [qkv, self.q_norm.weight, self.k_norm.weight],
            key=(queries, normalised, epsilon),
        )


class Qwen3ForCausalLM(Qwen2ForCausalLM):
    """A qwen3 with its functions."""

    attention = Qwen3Attention
