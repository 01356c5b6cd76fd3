"""The model of examples/quickstart in several quantizations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import tvm
from tvm.contrib import tvmjs

from examples.quickstart.training.quantization import dequantize
from tests.emulators.models import Model
from tools.config import CompileKey, strict_json

_MODEL = Path(__file__).parents[2] / "examples" / "quickstart" / "model"
PROMPT = np.array([1, 309, 286, 262, 331, 13, 273, 262, 284, 270], np.int32)
"""Some tokens; the model's vocabulary has 2048."""


def quickstart(num_layers: int | None = None) -> Model:
    """Returns the model, of its first layers where their number is given."""

    def chat_config(_quantization: str) -> dict[str, Any]:
        found = strict_json.load(_MODEL / "mlc-chat-config.json")
        if num_layers is not None:
            found["model_config"]["num_hidden_layers"] = num_layers
        return found

    layers = "" if num_layers is None else f"_{num_layers}_layers"
    return Model(f"quickstart{layers}", chat_config, _weights)


def _weights(params: list[dict[str, Any]], _key: CompileKey) -> list[np.ndarray]:
    """The files hold q4f16_1. Its numbers are exact in float32, as scales and as weights."""
    stored, _ = tvmjs.load_tensor_cache(str(_MODEL), tvm.cpu())

    def weight(name: str, dtype: str) -> np.ndarray:
        if name in stored:
            return stored[name].numpy().astype(dtype)
        stem = name.removesuffix("weight")
        return dequantize(stored[f"{stem}q_weight"].numpy(), stored[f"{stem}q_scale"].numpy())

    return [weight(param["name"], param["dtype"]) for param in params]


QUICKSTART = quickstart()
QUICKSTART_LAYERS = quickstart(2)
"""Of its five layers two: all layers of a model run the same kernels."""
