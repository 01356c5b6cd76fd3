"""qwen3: a qwen2 that normalises every query and key head, its bias being optional."""

from __future__ import annotations

import dataclasses

from tvm.relax.frontend import nn

from tools.compiler.families.qwen2 import Qwen2Config, Qwen2DecoderLayer, Qwen2ForCausalLM
from tools.compiler.layers.head_norm import HeadNormAttention
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class Qwen3Config(Qwen2Config):
    """The fields of a qwen3's ``model_config``; ``head_dim`` is independent of ``hidden_size``.

    Attributes:
        attention_bias: Whether the projection to query, key and value has a bias.
    """

    attention_bias: bool


class Qwen3DecoderLayer(Qwen2DecoderLayer):
    """A qwen2's layer whose query and key heads are normalised."""

    def attention(self, config: Qwen3Config, quantization: Quantization) -> nn.Module:
        return HeadNormAttention(
            config,
            quantization,
            config.rms_norm_eps,
            names=("c_attn", "o_proj"),
            qkv_bias=config.attention_bias,
            out_bias=config.attention_bias,
        )


class Qwen3ForCausalLM(Qwen2ForCausalLM):
    """A qwen3 with its functions."""

    layer = Qwen3DecoderLayer
