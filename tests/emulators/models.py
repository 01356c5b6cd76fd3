"""Models whose kernels are compared, and libraries of them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.numeric import families
from tests.numeric.small_model import SmallModel
from tests.numeric.weights import random_weights
from tools import config
from tools.compiler.build import build_library
from tools.compiler.link import linked_bytes
from tools.compiler.progress import Progress
from tools.config import CompileKey


@dataclasses.dataclass(frozen=True, eq=False)
class Model:
    """A model.

    Attributes:
        name: Unlike other models'.
        chat_config: A function from a quantization to mlc-chat-config.json.
        weights: A function from a library's ``params`` and its compile key to the weights in their
            order.
        can_slide: Whether its KV cache can be one with a window.
    """

    name: str
    chat_config: Callable[[str], dict[str, Any]]
    weights: Callable[[list[dict[str, Any]], CompileKey], list[np.ndarray]]
    can_slide: bool = True

    def compile_key(
        self, device: str, quantization: str, *, cpu_device: str | None = None
    ) -> CompileKey:
        """Returns what to compile.

        Args:
            device: The device.
            quantization: Of the weights.
            cpu_device: Where given, the host code is for this CPU, not for the device's own host.
        """
        host = {}
        if cpu_device is not None:
            host = {"host.mtriple": config.device(cpu_device).target["mtriple"], "host.mattr": []}
        return config.build_key(
            self.chat_config(quantization),
            device,
            quantization=quantization,
            target=host,
            model_lib="emulated",
        )


def _random_model(name: str, small: SmallModel) -> Model:
    # TVM's cache gives no factors to the kernels of a cache with a window, which rotate themselves.
    has_factors = "long_factor" in (small.model_config.get("rope_scaling") or {})
    return Model(name, small.chat_config, lambda *of: random_weights(*of)[0], not has_factors)


_NAMES = os.environ.get("MLC_TEST_MODELS", "gemma2 phi3_long qwen2_moe").split()
RANDOM_MODELS = {
    name: _random_model(name, small)
    for name, small in families.MODELS.items()
    if name in _NAMES or "all" in _NAMES
}
"""Those of `tests.numeric.families` that MLC_TEST_MODELS names, or ``all``; where it is not set,
some that have between them what the quickstart's model has not: experts, scores that are capped or
masked by a window, two rotary factors."""


def shared_library(key: CompileKey, path: Path, linker: Path) -> Path:
    """Compiles, and links for this machine or one like it; returns `path`."""
    built = build_library(key, system_library=False, progress=Progress(False))
    path.write_bytes(linked_bytes(built.objects, "so", linker))
    return path
