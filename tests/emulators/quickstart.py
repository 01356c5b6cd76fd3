"""The model of examples/quickstart in several quantizations, and libraries of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tvm
from tvm.contrib import tvmjs

from examples.quickstart.training.quantization import dequantize
from tools import config
from tools.compiler.build import build_library
from tools.compiler.link import linked_bytes
from tools.compiler.progress import Progress
from tools.config import CompileKey, strict_json

_MODEL = Path(__file__).parents[2] / "examples" / "quickstart" / "model"
PROMPT = np.array([1, 309, 286, 262, 331, 13, 273, 262, 284, 270], np.int32)
"""Some tokens; the model's vocabulary has 2048."""


def compile_key(
    device: str, quantization: str, *, cpu_device: str | None = None, num_layers: int | None = None
) -> CompileKey:
    """Returns what to compile.

    Args:
        device: The device.
        quantization: Of the weights.
        cpu_device: Where given, the host code is for this CPU, not for the device's own host.
        num_layers: Where given, the model has only its first layers: their kernels are the same.
    """
    chat_config = strict_json.load(_MODEL / "mlc-chat-config.json")
    if num_layers is not None:
        chat_config["model_config"]["num_hidden_layers"] = num_layers
    host = {}
    if cpu_device is not None:
        host = {"host.mtriple": config.device(cpu_device).target["mtriple"], "host.mattr": []}
    return config.build_key(
        chat_config, device, quantization=quantization, target=host, model_lib="stories"
    )


def objects(key: CompileKey, *, system_library: bool = False) -> dict[str, bytes]:
    """Compiles; returns the objects."""
    return build_library(key, system_library=system_library, progress=Progress(False)).objects


def shared_library(key: CompileKey, path: Path, linker: Path) -> Path:
    """Compiles, and links for this machine or one like it; returns `path`."""
    path.write_bytes(linked_bytes(objects(key), "so", linker))
    return path


def weights(quantization: str) -> Callable[[list[dict]], list[np.ndarray]]:
    """Returns a function from a library's ``params`` to the model's weights in their order.

    The files hold q4f16_1. Its numbers are exact in float32, as scales and as weights.
    """
    stored, _ = tvmjs.load_tensor_cache(str(_MODEL), tvm.cpu())

    def weight(name: str, dtype: str) -> np.ndarray:
        if name in stored:
            return stored[name].numpy().astype(dtype)
        stem = name.removesuffix("weight")
        return dequantize(stored[f"{stem}q_weight"].numpy(), stored[f"{stem}q_scale"].numpy())

    return lambda params: [weight(p["name"], p["dtype"]) for p in params]
