"""Attention whose queries and keys are normalised before they are cut into heads."""

from __future__ import annotations

from typing import Any

from tvm import te, tirx
from tvm.relax.frontend import nn

from tools.compiler.layers.attention import AttentionConfig, GroupedQueryAttention
from tools.compiler.layers.kernel import call_kernel
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization


class ProjectionNormAttention(GroupedQueryAttention):
    """Attention with an RMSNorm of all query heads together, and another of all key heads.

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
        sizes = (config.num_attention_heads, config.num_key_value_heads)
        query, key = (heads * config.head_dim for heads in sizes)
        self.q_norm = RMSNorm(query, epsilon, quantization.model_dtype)
        self.k_norm = RMSNorm(key, epsilon, quantization.model_dtype)

    def heads(self, x: nn.Tensor) -> nn.Tensor:
        queries, epsilon = self.num_attention_heads, self.epsilon
        # The rest are as many keys as values.
        normalised = (queries + self.num_heads) // 2

        def squares(heads: te.Tensor) -> te.Tensor:
            """Two sums a token: of its queries, and of its keys."""
            h = te.reduce_axis((0, normalised), "h")
            k = te.reduce_axis((0, heads.shape[2]), "k")

            def square(i, is_key):
                value = heads[i, h, k].astype("float32")
                belongs = tirx.any(
                    tirx.all(h < queries, is_key == 0), tirx.all(h >= queries, is_key == 1)
                )
                return te.sum(tirx.if_then_else(belongs, value * value, 0.0), axis=[h, k])

            return te.compute((heads.shape[0], 2), square, name="projection_squares")

        def normalise(
            heads: te.Tensor, sums: te.Tensor, query: te.Tensor, key: te.Tensor
        ) -> te.Tensor:
            """All heads at once: the result is where the cache reads."""
            size = heads.shape[2]

            def element(i, j, d):
                value = heads[i, j, d].astype("float32")
                is_key = j >= queries
                number = tirx.if_then_else(is_key, normalised - queries, queries) * size
                mean = sums[i, tirx.if_then_else(is_key, 1, 0)] / number.astype("float32")
                weight = tirx.if_then_else(
                    is_key,
                    key[tirx.min(tirx.max(j - queries, 0), normalised - queries - 1) * size + d],
                    query[tirx.min(j, queries - 1) * size + d],
                )
                scale = tirx.rsqrt(mean + tirx.const(epsilon, "float32"))
                scaled = value * scale * weight.astype("float32")
                return tirx.if_then_else(j < normalised, scaled, value).astype(heads.dtype)

            return te.compute(heads.shape, element, name="projection_norm")

        key = (queries, normalised, epsilon)
        heads = super().heads(x)
        sums = call_kernel(squares, "projection_squares", [heads], key=key)
        weights = [self.q_norm.weight, self.k_norm.weight]
        return call_kernel(normalise, "projection_norm", [heads, sums, *weights], key=key)
