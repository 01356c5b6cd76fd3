"""What a library says of itself: upstream's ``_metadata``, and the memory that the model takes."""

from __future__ import annotations

from typing import Any

from tvm import tirx
from tvm.relax.frontend import nn

from tools.compiler.families.causal_lm import CausalLM
from tools.config import CompileKey
from tools.config.cached_tokens import cached_tokens

MAX_TOP_PROBS = 6
"""Probabilities of a sequence that a sampler is asked for at most: five and the sampled one."""

Parameters = list[tuple[str, nn.Parameter]]


def library_metadata(key: CompileKey, model: CausalLM, parameters: Parameters) -> dict[str, Any]:
    """Returns the metadata without ``memory_usage``, which the build adds.

    Args:
        key: What was compiled.
        model: The model that was made of it.
        parameters: The model's parameters, in the order in which functions take them.
    """
    config = key.model_config
    cache = model.kv_cache
    return {
        "model_type": key.model_type,
        "quantization": key.quantization,
        "context_window_size": config["context_window_size"],
        "sliding_window_size": config["sliding_window_size"],
        "attention_sink_size": config["attention_sink_size"],
        "prefill_chunk_size": config["prefill_chunk_size"],
        "tensor_parallel_shards": config["tensor_parallel_shards"],
        "pipeline_parallel_stages": config["pipeline_parallel_stages"],
        "disaggregation": config["disaggregation"],
        "kv_state_kind": "kv_cache",
        "max_batch_size": config["max_batch_size"],
        "active_vocab_size": config["active_vocab_size"],
        "model_task": "chat",
        "kv_cache": {
            "num_hidden_layers": cache.num_hidden_layers,
            "num_attention_heads": cache.num_attention_heads,
            "num_key_value_heads": cache.num_key_value_heads,
            "head_dim": cache.head_dim,
        },
        "params": [
            {
                "name": name,
                "shape": parameter_shape(parameter),
                "dtype": str(parameter.dtype),
                "preprocs": [],
                "pipeline_stages": [0],
            }
            for name, parameter in parameters
        ],
    }


def size_bounds(key: CompileKey) -> dict[str, int]:
    """Returns the largest values of the sizes that appear in the functions' parameters."""
    config = key.model_config
    return {
        "total_seq_len": cached_tokens(config),
        "seq_len": config["prefill_chunk_size"],
        "batch_size": config["max_batch_size"],
        "num_samples": config["max_batch_size"],
        "num_positions": MAX_TOP_PROBS * config["max_batch_size"],
    }


def memory_figures(
    key: CompileKey, model: CausalLM, parameters: Parameters, memory_usage: dict[str, int]
) -> dict[str, int]:
    """Returns the bytes of memory that the model takes on the device.

    Args:
        key: What was compiled.
        model: The model that was made of it.
        parameters: The model's parameters.
        memory_usage: Temporary bytes of each function.

    Returns:
        ``parameter_bytes``; ``temporary_bytes``, of the function that needs most;
        ``kv_cache_bytes``, for one sequence of the greatest length; ``total_bytes``, their sum.
    """
    sizes = {"vocab_size": key.model_config["vocab_size"]}
    parameter_bytes = sum(_bytes(parameter, sizes) for _, parameter in parameters)
    temporary_bytes = max(memory_usage.values())
    kv_cache_bytes = model.kv_cache.bytes_per_token() * cached_tokens(key.model_config)
    return {
        "parameter_bytes": parameter_bytes,
        "temporary_bytes": temporary_bytes,
        "kv_cache_bytes": kv_cache_bytes,
        "total_bytes": parameter_bytes + temporary_bytes + kv_cache_bytes,
    }


def parameter_shape(parameter: nn.Parameter) -> list[int | str]:
    """Returns the shape, with the name in place of a dynamic size."""
    return [size.name if isinstance(size, tirx.Var) else int(size) for size in parameter.shape]


def _bytes(parameter: nn.Parameter, sizes: dict[str, int]) -> int:
    count = 1
    for size in parameter_shape(parameter):
        count *= sizes[size] if isinstance(size, str) else size
    return count * parameter_itemsize(parameter)


def parameter_itemsize(parameter: nn.Parameter) -> int:
    """Returns the bytes of an element."""
    digits = "".join(character for character in str(parameter.dtype) if character.isdigit())
    return int(digits) // 8
