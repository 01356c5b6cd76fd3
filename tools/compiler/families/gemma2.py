"""gemma2: Gemma 2, a gemma with capped scores and logits, and a window in every other layer."""

from __future__ import annotations

import dataclasses
from typing import Any

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.gemma import GemmaConfig, GemmaDecoderLayer, GemmaForCausalLM
from tools.compiler.functions.attention_scores import AttentionScores
from tools.compiler.layers.attention import GroupedQueryAttention
from tools.compiler.layers.elementwise import add, softcap
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class Gemma2Config(GemmaConfig):
    """The fields of a gemma2's ``model_config``, named as there; see `GemmaConfig`.

    Attributes:
        attn_logit_softcapping: Bound of the attention's scores; None for none.
        final_logit_softcapping: Bound of the logits; None for none.
        query_pre_attn_scalar: Scores are divided by its square root.
        sliding_window: How many tokens a token of a layer with a window sees.
    """

    attn_logit_softcapping: float | None
    final_logit_softcapping: float | None
    query_pre_attn_scalar: float
    sliding_window: int


class Gemma2Attention(GroupedQueryAttention):
    """Attention whose scale is of its own; a negative one marks a layer with a window."""

    def __init__(self, config: Gemma2Config, quantization: Quantization) -> None:
        super().__init__(config, quantization)
        self.query_pre_attn_scalar = config.query_pre_attn_scalar

    def scale(self, layer_id: int) -> float:
        scale = self.query_pre_attn_scalar**-0.5
        return -scale if layer_id % 2 == 0 else scale


class Gemma2DecoderLayer(GemmaDecoderLayer):
    """Attention and feed-forward, each between two norms, and a residual around."""

    def __init__(self, config: Gemma2Config, quantization: Quantization) -> None:
        super().__init__(config, quantization)
        size, epsilon, dtype = config.hidden_size, config.rms_norm_eps, quantization.model_dtype
        self.pre_feedforward_layernorm = RMSNorm(size, epsilon, dtype)
        self.post_feedforward_layernorm = RMSNorm(size, epsilon, dtype)

    def attention(self, config: Gemma2Config, quantization: Quantization) -> nn.Module:
        return Gemma2Attention(config, quantization)

    def forward(self, x: nn.Tensor, paged_kv_cache: PagedKVCache, layer_id: int) -> nn.Tensor:
        attended = self.self_attn(self.input_layernorm(x), paged_kv_cache, layer_id)
        x = add(self.post_attention_layernorm(attended), x)
        fed = self.mlp(self.pre_feedforward_layernorm(x))
        return add(self.post_feedforward_layernorm(fed), x)


class Gemma2ForCausalLM(GemmaForCausalLM):
    """A gemma2 with its functions; see `GemmaForCausalLM`."""

    layer = Gemma2DecoderLayer

    def __init__(self, config: Gemma2Config, quantization: Quantization, **kv_cache: Any) -> None:
        scores = AttentionScores(config.attn_logit_softcapping, config.sliding_window)
        super().__init__(config, quantization, scores=scores, **kv_cache)
        self.final_logit_softcapping = config.final_logit_softcapping

    def get_logits(self, hidden_states: nn.Tensor) -> nn.Tensor:
        logits = super().get_logits(hidden_states)
        cap = self.final_logit_softcapping
        return logits if cap is None else softcap(logits, cap)
