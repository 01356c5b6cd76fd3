"""gemma: Gemma 1 and 1.1, CodeGemma; a llama's layers with another activation and scale."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from tvm.relax.frontend import nn
from tvm.relax.frontend.nn.llm.kv_cache import PagedKVCache

from tools.compiler.families.decoder import Decoder
from tools.compiler.families.llama import LlamaDecoderLayer
from tools.compiler.layers.elementwise import scale
from tools.compiler.layers.norm import RMSNorm
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class GemmaConfig:
    """The fields of a gemma's ``model_config``, named as there; see `LlamaConfig`."""

    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    num_hidden_layers: int
    rms_norm_eps: float
    position_embedding_base: float


class GemmaDecoderLayer(LlamaDecoderLayer):
    """A llama's layer with another activation."""

    activation = "gelu_tanh"


class GemmaForCausalLM(Decoder):
    """A gemma with its functions; base of its successors, that have other layers.

    The norms' weights are those of a checkpoint plus one: MLC LLM stores them so. The function
    ``embed`` returns the embeddings as stored; the layers begin with scaling them.

    Args:
        config: The model's sizes.
        quantization: How the weights are stored.
        kv_cache: As of `Decoder`.

    Attributes:
        layer: Makes a layer.
    """

    layer: type[nn.Module] = GemmaDecoderLayer

    def __init__(self, config: GemmaConfig, quantization: Quantization, **kv_cache: Any) -> None:
        super().__init__(
            config,
            quantization,
            layer=self.layer,
            norm=RMSNorm(config.hidden_size, config.rms_norm_eps, quantization.model_dtype),
            tied=True,
            rope_theta=config.position_embedding_base,
            **kv_cache,
        )

    def run_layers(self, x: nn.Tensor, paged_kv_cache: PagedKVCache) -> nn.Tensor:
        return super().run_layers(scale(x, math.sqrt(self.hidden_size)), paged_kv_cache)
