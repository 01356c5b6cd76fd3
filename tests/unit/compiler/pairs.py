"""Which families the tests compile for which devices."""

from __future__ import annotations

import itertools
import os
from typing import Any

from tests.numeric.families import MODELS
from tools import config

Pair = tuple[str, str]
"""A family's ``model_type``, and a device."""

PHONES = ("android", "iphone")
"""Devices for which every family is compiled."""


def small_chat_config(**changes: Any) -> dict[str, Any]:
    """Returns mlc-chat-config.json of a llama of one layer; `changes` are of ``model_config``."""
    return {
        "model_type": "llama",
        "quantization": "q4f16_1",
        "model_config": {
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "num_hidden_layers": 1,
            "rms_norm_eps": 1e-5,
            "vocab_size": 100,
            "context_window_size": 128,
            "prefill_chunk_size": 32,
            "max_batch_size": 2,
            **changes,
        },
    }


CHAT_CONFIGS: dict[str, dict[str, Any]] = {
    **{small.model_type: small.chat_config("q4f16_1") for small in MODELS.values()},
    "llama": small_chat_config(),
}
"""mlc-chat-config.json of a small model of each family, by ``model_type``."""


def _twice() -> list[Pair]:
    families = list(CHAT_CONFIGS)
    devices = [device for device in config.devices() if device not in PHONES]
    others = [family for family in families if family != "llama"]
    dealt = list(zip(others, devices, strict=False))
    phones = ["llama", *others[len(devices) :]]
    dealt += [(family, PHONES[i % len(PHONES)]) for i, family in enumerate(phones)]
    named = os.environ.get("MLC_TEST_DEVICES", "").split()
    wider = config.devices() if named == ["all"] else named
    # Each once.
    return list(dict.fromkeys([*dealt, *itertools.product(families, wider)]))


TWICE = _twice()
"""What two processes compile: each family for a device, and for each device a family.

MLC_TEST_DEVICES names devices for which it is every family; ``all`` are all devices.
"""

ONCE = [
    (family, device)
    for device in PHONES
    for family in CHAT_CONFIGS
    if (family, device) not in TWICE
]
"""The rest of what is compiled for phones."""
