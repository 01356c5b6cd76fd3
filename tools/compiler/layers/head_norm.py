"""Attention whose query and key heads are normalised before the rotary embedding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tvm import te, tirx
from tvm.ir import Expr
from tvm.relax.frontend import nn

from tools.compiler.layers.attention import AttentionConfig, GroupedQueryAttention
from tools.compiler.layers.kernel import call_kernel
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization

Element = Callable[[Any, Any, Any], Expr]
"""Of token, head and dimension: a float32 number."""


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

        def compute(heads: te.Tensor, query: te.Tensor, key: te.Tensor) -> te.Tensor:
            """One kernel for all heads: they are read once, and written where the cache reads."""
            value = lambda i, h, d: heads[i, h, d].astype("float32")  # noqa: E731
            norm = head_norm(value, heads.shape, query, key, queries, epsilon)
            return te.compute(
                heads.shape,
                lambda i, h, d: tirx.if_then_else(
                    h < normalised, norm(i, h, d), value(i, h, d)
                ).astype(heads.dtype),
                name="head_norm",
            )

        return call_kernel(
            compute,
            "head_norm",
            [super().heads(x), self.q_norm.weight, self.k_norm.weight],
            key=(queries, normalised, epsilon),
        )


def head_norm(
    value: Element,
    shape: tuple,
    query: te.Tensor,
    key: te.Tensor,
    queries: int,
    epsilon: float,
) -> Element:
    """Returns the RMSNorm of heads, by the weight of queries or that of keys.

    Args:
        value: The heads.
        shape: Numbers of tokens, heads and dimensions.
        query: Weight ``(dimensions,)`` of the first heads.
        key: Weight ``(dimensions,)`` of all others.
        queries: How many are the first.
        epsilon: Added to the mean square.
    """
    tokens, heads, size = shape
    k = te.reduce_axis((0, size), "k")
    squares = te.compute(
        (tokens, heads),
        lambda i, h: te.sum(value(i, h, k) * value(i, h, k), axis=k),
        name="squares",
    )

    def element(i: Any, h: Any, d: Any) -> Expr:
        weight = tirx.if_then_else(h < queries, query[d], key[d]).astype("float32")
        scale = tirx.rsqrt(squares[i, h] / size + tirx.const(epsilon, "float32"))
        return value(i, h, d) * scale * weight

    return element
