"""Which models can be compiled, and the compile key of one: validation, merging, defaults.

The Python API of the other tools::

    key = tools.config.load_key("NAME.compile_key.json")      # CompileKey
    tools.config.quantization(key.quantization).group_size    # Quantization
    tools.config.device(key.device).library                   # Device
    key.tvm_target()                                          # dict
    tools.config.build_key(strict_json.load("mlc-chat-config.json"), "android")

Nothing here imports TVM.
"""

from __future__ import annotations

from tools.config.build import build_key
from tools.config.checkpoint import checkpoint_key
from tools.config.key import CompileKey, load_key
from tools.config.registry import (
    Device,
    Quantization,
    device,
    devices,
    families,
    quantization,
    quantizations,
)
from tools.config.target import OPT_LEVELS

__all__ = [
    "OPT_LEVELS",
    "CompileKey",
    "Device",
    "Quantization",
    "build_key",
    "checkpoint_key",
    "device",
    "devices",
    "families",
    "load_key",
    "quantization",
    "quantizations",
]
