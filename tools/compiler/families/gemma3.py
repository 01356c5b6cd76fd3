"""gemma3 and gemma3_text: Gemma 3, or the part of it that reads and writes text."""

from __future__ import annotations

import dataclasses
from typing import Any

from tvm import te, tirx
from tvm.ir import Expr
from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.decoder import Names
from tools.compiler.families.gemma2 import Gemma2Config, Gemma2DecoderLayer, Gemma2ForCausalLM
from tools.compiler.layers.attention import attend
from tools.compiler.layers.head_norm import head_norm
from tools.compiler.layers.kernel import call_kernel
from tools.compiler.layers.linear import Linear
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.layers.shape import reshape
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class Gemma3Config(Gemma2Config):
    """The fields of a gemma3's ``model_config``, or of its ``text_config``; see `Gemma2Config`.

    Attributes:
        sliding_window_pattern: One layer of so many, the last, has no window.
        rope_local_base_freq: RoPE's theta of layers with a window.
        rope_scaling: None, or a ``factor`` that positions are divided by in the other layers.
    """

    sliding_window_pattern: int
    rope_local_base_freq: float
    rope_scaling: dict[str, Any] | None


class Gemma3Attention(nn.Module):
    """Attention with norms of query and key heads, and a rotary embedding by the kind of layer.

    The cache knows of one rotary embedding only; so heads get theirs before they are cached.
    """

    def __init__(self, config: Gemma3Config, quantization: Quantization) -> None:
        super().__init__()
        self.config = config
        size, queries = config.hidden_size, config.num_attention_heads * config.head_dim
        keys = config.num_key_value_heads * config.head_dim
        self.q_proj = Linear(quantization, size, queries)
        self.k_proj = Linear(quantization, size, keys)
        self.v_proj = Linear(quantization, size, keys)
        self.o_proj = Linear(quantization, queries, size)
        self.q_norm = RMSNorm(config.head_dim, config.rms_norm_eps, quantization.model_dtype)
        self.k_norm = RMSNorm(config.head_dim, config.rms_norm_eps, quantization.model_dtype)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        """``(tokens, hidden_size) -> (tokens, hidden_size)``."""
        config, tokens = self.config, x.shape[0]
        has_window = (layer_id + 1) % config.sliding_window_pattern != 0
        heads = self.heads(x, paged_kv_cache.get_query_positions(tokens), has_window)
        scale = config.query_pre_attn_scalar**-0.5
        queries = config.num_attention_heads
        # A negative scale marks a layer with a window.
        out = attend(paged_kv_cache, layer_id, heads, queries, -scale if has_window else scale)
        return self.o_proj(reshape(out, tokens, queries * config.head_dim))

    def heads(self, x: nn.Tensor, positions: nn.Tensor, has_window: bool) -> nn.Tensor:
        """Returns query, key and value heads ``(tokens, heads, head_dim)``, ready for the cache."""
        config = self.config
        queries, size = config.num_attention_heads, config.head_dim
        keys = queries + config.num_key_value_heads
        theta, factor = config.rope_local_base_freq, 1.0
        if not has_window:
            theta = config.position_embedding_base
            factor = config.rope_scaling["factor"] if config.rope_scaling else 1.0

        def compute(q, k, v, query_weight, key_weight, position) -> te.Tensor:
            """One kernel for all heads, which are read once, and written as the cache reads."""
            shape = (q.shape[0], keys + config.num_key_value_heads, size)

            def value(i, h, d) -> Expr:
                key = tirx.if_then_else(
                    h < keys, k[i, (h - queries) * size + d], v[i, (h - keys) * size + d]
                )
                return tirx.if_then_else(h < queries, q[i, h * size + d], key).astype("float32")

            norm = head_norm(value, shape, query_weight, key_weight, queries, config.rms_norm_eps)

            def rotated(i, h, d) -> Expr:
                half = size // 2
                exponent = (d % half * 2).astype("float32") / size
                base = tirx.power(tirx.const(theta, "float32"), exponent)
                angle = position[i].astype("float32") / (factor * base)
                other = tirx.if_then_else(d < half, -norm(i, h, d + half), norm(i, h, d - half))
                return norm(i, h, d) * tirx.cos(angle) + other * tirx.sin(angle)

            return te.compute(
                shape,
                lambda i, h, d: tirx.if_then_else(
                    h < keys, rotated(i, h, d), value(i, h, d)
                ).astype(q.dtype),
                name="heads",
            )

        inputs = [self.q_proj(x), self.k_proj(x), self.v_proj(x)]
        inputs += [self.q_norm.weight, self.k_norm.weight, positions]
        return call_kernel(compute, "heads", inputs, key=(queries, keys, size, theta, factor))


class Gemma3DecoderLayer(Gemma2DecoderLayer):
    """A gemma2's layer with other attention."""

    def attention(self, config: Gemma3Config, quantization: Quantization) -> nn.Module:
        return Gemma3Attention(config, quantization)


class Gemma3ForCausalLM(Gemma2ForCausalLM):
    """A gemma3 with its functions."""

    names = Names(body="language_model.model")
    layer = Gemma3DecoderLayer

    def __init__(self, config: Gemma3Config, quantization: Quantization) -> None:
        super().__init__(config, quantization, rotary_dim=0)
