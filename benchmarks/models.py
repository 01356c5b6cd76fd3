"""Models of published sizes, as the benchmarks compile them."""

from __future__ import annotations

import json
from pathlib import Path

MODELS = json.loads(Path(__file__).with_name("models.json").read_text(encoding="utf-8"))


def chat_config(model: str, quantization: str) -> dict:
    """Returns mlc-chat-config.json of a model with its published sizes."""
    fields = dict(MODELS[model])
    model_type = fields.pop("model_type")
    context = min(4096, fields["max_position_embeddings"])
    sizes = {"context_window_size": context, "prefill_chunk_size": 1024, "max_batch_size": 4}
    return {
        "model_type": model_type,
        "quantization": quantization,
        "model_config": {**fields, **sizes, "tensor_parallel_shards": 1},
        "vocab_size": fields["vocab_size"],
        **sizes,
        "tensor_parallel_shards": 1,
    }
