"""The memory that a model takes on the device, from what its library says of itself."""

from __future__ import annotations

import re
from typing import Any

from tools.cli import UserError
from tools.config.cached_tokens import cached_tokens

_MODEL_DTYPE = re.compile(r"(bf16|f16|f32)(?:_\w+)?\Z")
_ITEMSIZE = {"bf16": 2, "f16": 2, "f32": 4}  # bytes


def memory_figures(metadata: dict[str, Any], vocab_size: int, where: str) -> dict[str, int]:
    """Returns ``parameter_bytes``, ``temporary_bytes``, ``kv_cache_bytes``, ``total_bytes``.

    The KV cache is that of one sequence of the greatest length, in the model's dtype; 0 where the
    model keeps its state otherwise.

    Args:
        metadata: What the library's ``_metadata`` returns.
        vocab_size: Rows of the embedding, where the library takes any number of them.
        where: What errors call the library.

    Raises:
        UserError: The metadata lacks what the figures are made of.
    """
    try:
        parameters = sum(_bytes(param, vocab_size) for param in metadata["params"])
        temporary = max(metadata["memory_usage"].values())
        kv_cache = _kv_cache_bytes(metadata)
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UserError(
            f"{where}: its metadata has no figures of memory; compile it with a newer mlc_llm"
        ) from None
    return {
        "parameter_bytes": parameters,
        "temporary_bytes": temporary,
        "kv_cache_bytes": kv_cache,
        "total_bytes": parameters + temporary + kv_cache,
    }


def _bytes(param: dict[str, Any], vocab_size: int) -> int:
    count = 1
    for size in param["shape"]:
        count *= vocab_size if isinstance(size, str) else size
    return count * (int(re.search(r"\d+", param["dtype"]).group()) // 8)


def _kv_cache_bytes(metadata: dict[str, Any]) -> int:
    cache = metadata.get("kv_cache")
    if cache is None:
        return 0
    dtype = _MODEL_DTYPE.search(metadata["quantization"])
    itemsize = _ITEMSIZE[dtype.group(1)] if dtype else _ITEMSIZE["f16"]
    per_token = cache["head_dim"] * cache["num_hidden_layers"] * cache["num_key_value_heads"] * 2
    return per_token * itemsize * cached_tokens(metadata)
