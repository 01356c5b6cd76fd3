"""Writes the trained model as MLC LLM's `convert_weight` and `gen_config` write one."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from examples.quickstart.training import quantization, tokenization

CHAT_CONFIG_VERSION = "0.1.0"
SAMPLING = {
    "temperature": 0.7,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "repetition_penalty": 1.0,
    "top_p": 0.95,
}


def parameters(weights: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Yields every stored array: matrices as q_weight and q_scale, vectors in float16.

    Args:
        weights: `model. ... .weight` to float32 array, in the order of the model's definition.
    """
    for name, weight in weights.items():
        if weight.ndim == 1:
            yield name, weight.astype(np.float16)
            continue
        stem = name.removesuffix("weight")
        q_weight, q_scale = quantization.quantize(weight)
        yield stem + "q_weight", q_weight
        yield stem + "q_scale", q_scale


def write_tensor_cache(weights: Mapping[str, np.ndarray], folder: Path, shard_cap: int) -> None:
    """Writes params_shard_*.bin and tensor-cache.json.

    Args:
        weights: as for `parameters`.
        folder: where to write; files of an earlier export are replaced.
        shard_cap: bytes of one shard at most; upstream's default is 32 MiB.
    """
    for stale in folder.glob("params_shard_*.bin"):
        stale.unlink()
    shards: list[dict[str, Any]] = []
    data, records = bytearray(), []

    def commit() -> None:
        path = f"params_shard_{len(shards)}.bin"
        (folder / path).write_bytes(data)
        shards.append(
            {
                "dataPath": path,
                "format": "raw-shard",
                "nbytes": len(data),
                "records": list(records),
                "md5sum": hashlib.md5(data, usedforsecurity=False).hexdigest(),
            }
        )
        data.clear()
        records.clear()

    count, total = 0, 0
    for name, array in parameters(weights):
        if data and len(data) + array.nbytes >= shard_cap:
            commit()
        # Upstream names this encoding for every dtype; it changes float32 arrays alone.
        record = {"name": name, "shape": list(array.shape), "dtype": str(array.dtype)}
        record |= {"format": "f32-to-bf16", "nbytes": array.nbytes, "byteOffset": len(data)}
        records.append(record)
        data += array.tobytes()
        count, total = count + 1, total + array.nbytes
    commit()
    elements = sum(weight.size for weight in weights.values())
    metadata = {
        "ParamSize": count,
        "ParamBytes": float(total),
        "BitsPerParam": total * 8 / elements,
    }
    document = {"metadata": metadata, "records": shards}
    _write(folder / "tensor-cache.json", json.dumps(document, indent=4))


def conversation_template() -> dict[str, Any]:
    """A template that only continues the user's text, after the begin-of-story token."""
    return {
        "name": "LM",
        "system_template": "{system_message}",
        "system_message": "",
        "system_prefix_token_ids": [tokenization.BOS_ID],
        "add_role_after_system_message": True,
        "roles": {"user": "", "assistant": ""},
        "role_templates": {
            "user": "{user_message}",
            "assistant": "{assistant_message}",
            "tool": "{tool_message}",
        },
        "messages": [],
        "seps": [""],
        "role_content_sep": "",
        "role_empty_sep": "",
        "stop_str": [],
        "stop_token_ids": [tokenization.EOS_ID],
        "function_string": "",
        "use_function_calling": False,
    }


def chat_config(config: Any, active_vocab_size: int) -> dict[str, Any]:
    """The contents of mlc-chat-config.json.

    Args:
        config: the `LlamaConfig` of the model.
        active_vocab_size: how many tokens the tokenizer has.
    """
    return {
        "version": CHAT_CONFIG_VERSION,
        "model_type": "llama",
        "quantization": quantization.NAME,
        "model_config": dataclasses.asdict(config),
        "vocab_size": config.vocab_size,
        "context_window_size": config.context_window_size,
        "sliding_window_size": -1,
        "prefill_chunk_size": config.prefill_chunk_size,
        "attention_sink_size": -1,
        "tensor_parallel_shards": config.tensor_parallel_shards,
        "pipeline_parallel_stages": config.pipeline_parallel_stages,
        "active_vocab_size": active_vocab_size,
        **SAMPLING,
        "tokenizer_files": ["tokenizer.json", "tokenizer_config.json"],
        "tokenizer_info": {
            "token_postproc_method": "byte_level",
            "prepend_space_in_encode": False,
            "strip_space_in_decode": False,
        },
        "conv_template": conversation_template(),
        "pad_token_id": tokenization.PAD_ID,
        "bos_token_id": tokenization.BOS_ID,
        "eos_token_id": tokenization.EOS_ID,
    }


def write_model(
    weights: Mapping[str, np.ndarray],
    config: Any,
    tokenizer: Tokenizer,
    folder: Path,
    shard_cap: int,
) -> None:
    """Writes the whole model folder."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tensor_cache(weights, folder, shard_cap)
    settings = chat_config(config, tokenizer.get_vocab_size())
    _write(folder / "mlc-chat-config.json", json.dumps(settings, indent=2) + "\n")
    tokenization.save(tokenizer, folder / "tokenizer.json")
    tokenizer_settings = tokenization.settings(config.context_window_size)
    _write(folder / "tokenizer_config.json", json.dumps(tokenizer_settings, indent=2) + "\n")


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
