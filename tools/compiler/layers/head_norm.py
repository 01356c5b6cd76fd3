"""Attention whose query and key heads are normalised before the rotary embedding."""

from __future__ import annotations

from typing import Any

from tvm import te, tirx
from tvm.relax.frontend import nn

from tools.compiler.layers.attention import AttentionConfig, GroupedQueryAttention
from tools.compiler.layers.kernel import call_kernel
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization


class HeadNormAttention(GroupedQueryAttention):
    """Attention with an RMSNorm of each query head, and another of each key head.

    Args:
        config: The sizes.
        quantization: How the weights are stored.
        epsilon: Of the norms.
        options: As of `GroupedQueryAttention`.
    """

    def __init__(
        self, config: AttentionConfig, quantization: Quantization, epsilon: float, **options: Any
    ) -> None:
        super().__init__(config, quantization, **options)
        self.epsilon = epsilon
        self.q_norm = RMSNorm(config.head_dim, epsilon, quantization.model_dtype)
        self.k_norm = RMSNorm(config.head_dim, epsilon, quantization.model_dtype)

    def heads(self, x: nn.Tensor) -> nn.Tensor:
        queries, epsilon = self.num_attention_heads, self.epsilon
        # The rest are as many keys as values.
        normalised = (queries + self.num_heads) // 2

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
            [super().heads(x), self.q_norm.weight, self.k_norm.weight],
            key=(queries, normalised, epsilon),
        )
