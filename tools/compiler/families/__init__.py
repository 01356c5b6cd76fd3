"""The model families that the compiler knows, by `model_type` as mlc-chat-config.json spells it.

To add one: a module here with a config dataclass and a subclass of `Decoder`, a line in
`FAMILIES`, a schema in tools/config, an entry in the tests (docs/adding-a-family.md).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from tools.cli import UserError
from tools.compiler.families.causal_lm import CausalLM
from tools.compiler.families.gemma import GemmaConfig, GemmaForCausalLM
from tools.compiler.families.gemma2 import Gemma2Config, Gemma2ForCausalLM
from tools.compiler.families.gemma3 import Gemma3Config, Gemma3ForCausalLM
from tools.compiler.families.gpt2 import GPT2Config, GPT2LMHeadModel
from tools.compiler.families.gpt_bigcode import GPTBigCodeConfig, GPTBigCodeForCausalLM
from tools.compiler.families.gpt_neox import GPTNeoXConfig, GPTNeoXForCausalLM
from tools.compiler.families.internlm2 import InternLM2Config, InternLM2ForCausalLM
from tools.compiler.families.llama import LlamaConfig, LlamaForCausalLM
from tools.compiler.families.mistral import MistralConfig, MistralForCausalLM
from tools.compiler.families.mixtral import MixtralConfig, MixtralForCausalLM
from tools.compiler.families.olmo2 import OLMo2Config, OLMo2ForCausalLM
from tools.compiler.families.phi import PhiConfig, PhiForCausalLM, PhiMsftConfig
from tools.compiler.families.phi3 import Phi3Config, Phi3ForCausalLM
from tools.compiler.families.qwen2 import Qwen2Config, Qwen2ForCausalLM
from tools.compiler.families.qwen2_moe import Qwen2MoeConfig, Qwen2MoeForCausalLM
from tools.compiler.families.qwen3 import Qwen3Config, Qwen3ForCausalLM
from tools.compiler.families.qwen3_moe import Qwen3MoeConfig, Qwen3MoeForCausalLM
from tools.compiler.families.stablelm import StableLMConfig, StableLMForCausalLM
from tools.compiler.families.starcoder2 import Starcoder2Config, Starcoder2ForCausalLM
from tools.compiler.quantization.base import Quantization


@dataclasses.dataclass(frozen=True)
class Family:
    """How a family's model is made.

    Attributes:
        config: Dataclass whose fields are read from the compile key's ``model_config``.
        model: Takes the config and the quantization.
    """

    config: type
    model: Callable[[Any, Quantization], CausalLM]


FAMILIES: Mapping[str, Family] = {
    "gemma": Family(GemmaConfig, GemmaForCausalLM),
    "gemma2": Family(Gemma2Config, Gemma2ForCausalLM),
    "gemma3": Family(Gemma3Config, Gemma3ForCausalLM),
    "gemma3_text": Family(Gemma3Config, Gemma3ForCausalLM),
    "gpt2": Family(GPT2Config, GPT2LMHeadModel),
    "gpt_bigcode": Family(GPTBigCodeConfig, GPTBigCodeForCausalLM),
    "gpt_neox": Family(GPTNeoXConfig, GPTNeoXForCausalLM),
    "internlm2": Family(InternLM2Config, InternLM2ForCausalLM),
    "llama": Family(LlamaConfig, LlamaForCausalLM),
    "mistral": Family(MistralConfig, MistralForCausalLM),
    "mixtral": Family(MixtralConfig, MixtralForCausalLM),
    "olmo2": Family(OLMo2Config, OLMo2ForCausalLM),
    "phi": Family(PhiConfig, PhiForCausalLM),
    "phi-msft": Family(PhiMsftConfig, PhiForCausalLM),
    "phi3": Family(Phi3Config, Phi3ForCausalLM),
    "qwen2": Family(Qwen2Config, Qwen2ForCausalLM),
    "qwen2_moe": Family(Qwen2MoeConfig, Qwen2MoeForCausalLM),
    "qwen3": Family(Qwen3Config, Qwen3ForCausalLM),
    "qwen3_moe": Family(Qwen3MoeConfig, Qwen3MoeForCausalLM),
    "stablelm": Family(StableLMConfig, StableLMForCausalLM),
    "starcoder2": Family(Starcoder2Config, Starcoder2ForCausalLM),
}


def create_model(
    model_type: str, model_config: Mapping[str, Any], quantization: Quantization
) -> CausalLM:
    """Returns the model, with parameters that have shapes and no values.

    Args:
        model_type: For example ``llama``.
        model_config: The fields of the compile key's ``model_config``; fields that the family's
            config does not have are used elsewhere and ignored here.
        quantization: How the weights are stored.

    Raises:
        UserError: The family is not known, or a field has a value it cannot work with.
    """
    if model_type not in FAMILIES:
        raise UserError(
            f"model_type {model_type!r}: the compiler does not know this family;"
            f" expected one of {', '.join(sorted(FAMILIES))}"
        )
    for field in ("tensor_parallel_shards", "pipeline_parallel_stages"):
        if model_config.get(field, 1) != 1:
            raise UserError(
                f"model_config.{field}: {model_config[field]} is not supported;"
                " a library is compiled for one device, set it to 1"
            )
    family = FAMILIES[model_type]
    names = [field.name for field in dataclasses.fields(family.config)]
    missing = [name for name in names if name not in model_config]
    if missing:
        raise UserError(
            f"model_config.{missing[0]}: missing, and family {model_type} needs it;"
            " make the compile key with `python -m tools.config`"
        )
    return family.model(family.config(**{name: model_config[name] for name in names}), quantization)
