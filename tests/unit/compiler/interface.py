"""How tests write down what upstream's definition of a model exports."""

from __future__ import annotations

from typing import Any

from tools import config
from tools.compiler.describe import describe

FUNCTIONS = {
    "batch_decode",
    "batch_prefill",
    "batch_verify",
    "create_paged_kv_cache",
    "decode",
    "embed",
    "prefill",
}
"""Those of every family."""

HIDDEN_STATES = {
    "batch_decode_to_last_hidden_states",
    "batch_prefill_to_last_hidden_states",
    "batch_select_last_hidden_states",
    "batch_verify_to_last_hidden_states",
    "decode_to_last_hidden_states",
    "get_logits",
    "prefill_to_last_hidden_states",
}
"""Those that some families have besides."""

Parameters = list[list[Any]]
"""``[name, shape, dtype]`` of each."""


def interface(
    model_type: str, model_config: dict[str, Any], quantization: str = "q4f16_1"
) -> dict[str, Any]:
    """Returns what the compiler's model exports."""
    chat_config = {
        "model_type": model_type,
        "quantization": quantization,
        "model_config": model_config,
    }
    return describe(config.build_key(chat_config, "android"))


def plain(name: str, *shape: int | str, dtype: str = "float16") -> Parameters:
    """Returns a parameter that q4f16_1 leaves as it is."""
    return [[name, list(shape), dtype]]


def quantized(name: str, *shape: int | str) -> Parameters:
    """Returns the two parameters that q4f16_1 makes of a weight of the given shape."""
    *rows, columns = shape
    return [
        [f"{name}.q_weight", [*rows, columns // 8], "uint32"],
        [f"{name}.q_scale", [*rows, columns // 32], "float16"],
    ]


def norm(name: str, size: int, *parts: str) -> Parameters:
    """Returns a norm's parameters, by default its weight alone."""
    return [
        parameter for part in parts or ("weight",) for parameter in plain(f"{name}.{part}", size)
    ]
