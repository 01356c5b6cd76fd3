"""The small models of the numeric tests, as both compilers are given them."""

from __future__ import annotations

import dataclasses
from typing import Any

from tests.numeric import families
from tools import config
from tools.config import CompileKey
from tools.config.any_model import build_any_key

# What upstream's families have no default for, and ours leave out of the key.
_NEEDED = {
    "attention_bias": False,
    "bos_token_id": 1,
    "decoder_sparse_step": 1,
    "eos_token_id": 2,
    "hidden_act": "silu",
    "pad_token_id": 2,
    "use_cache": True,
}

# Fields of both, where upstream's code computes something else on purpose or by mistake: see
# docs/upstream-compiler.md. No longer than the window, without caps, with one rotary embedding; six
# layers, since each sixth of upstream's has no window, and TVM's cache needs one that has none.
_GEMMA2 = {"attn_logit_softcapping": None, "query_pre_attn_scalar": 64, "sliding_window": 256}
_GEMMA3 = {
    "num_hidden_layers": 6,
    "rope_local_base_freq": 1e6,
    "rope_scaling": None,
    "rope_theta": 1e6,
    "sliding_window": 256,
}
_COMMON = {
    "gemma2": _GEMMA2,
    "gemma2_uncapped": _GEMMA2,
    "gemma3": _GEMMA3,
    "gemma3_text": _GEMMA3,
    # Upstream's has no such field.
    "phi_msft": {"max_batch_size": 1},
}

# Upstream's gemma3 takes the layers' window for that of the whole cache.
_UPSTREAM = {"gemma3": {"sliding_window": -1}, "gemma3_text": {"sliding_window": -1}}


@dataclasses.dataclass(frozen=True)
class Compared:
    """A model and its quantization.

    Attributes:
        name: The small model's.
        quantization: For example ``q4f16_1``.
    """

    name: str
    quantization: str

    def chat_config(self, *changes: dict[str, Any]) -> dict[str, Any]:
        """Returns mlc-chat-config.json; with fields of the language model changed."""
        result = families.MODELS[self.name].chat_config(self.quantization)
        fields = dict(result["model_config"])
        for change in (_COMMON.get(self.name, {}), *changes):
            if "text_config" in fields:
                fields["text_config"] = {**fields["text_config"], **change}
            else:
                fields |= change
        return {**result, "model_config": fields}

    def key(self, device: str) -> CompileKey:
        """Returns the key for the embedded compiler."""
        return config.build_key(self.chat_config(), device)

    def upstream_key(self, device: str) -> CompileKey:
        """Returns the key for upstream's, with the defaults filled in, of which it has fewer."""
        given = self.key(device).model_config.items()
        defaults = {**_NEEDED, **{name: value for name, value in given if value is not None}}
        chat_config = self.chat_config(_UPSTREAM.get(self.name, {}))
        fields = {**defaults, **chat_config["model_config"]}
        return build_any_key(
            {**chat_config, "model_config": fields},
            device,
            overrides={},
            opt=None,
            target={},
            architectures=(),
            model_lib="conformance",
            config_name="the config",
            where=self.name,
        )
