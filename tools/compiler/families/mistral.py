"""mistral: Mistral 7B and its successors of the same architecture, with or without a window."""

from __future__ import annotations

import dataclasses

from tools.compiler.families.llama import LlamaConfig, LlamaForCausalLM
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class MistralConfig:
    """The fields of a mistral's ``model_config``, named as there; see `LlamaConfig`."""

    hidden_size: int
    intermediate_size: int
    num_attention_heads: int
    num_key_value_heads: int
    head_dim: int
    num_hidden_layers: int
    rms_norm_eps: float
    position_embedding_base: float


class MistralForCausalLM(LlamaForCausalLM):
    """A mistral with its functions.

    The sliding window is no part of the code. The runtime reads its size and that of the attention
    sink in the metadata, creates a cache that supports windows, and sets them for each sequence.
    """

    exports_hidden_states = False

    def __init__(self, config: MistralConfig, quantization: Quantization) -> None:
        llama = LlamaConfig(
            **dataclasses.asdict(config),
            tie_word_embeddings=False,
            rope_scaling=None,
            disaggregation=False,
        )
        super().__init__(llama, quantization)
