"""What the tests of tools/config share: a small llama config and a way to make its key."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tools import cli
from tools.config.__main__ import main


@pytest.fixture
def chat_config() -> dict[str, Any]:
    """A config as upstream's tools write it, of a small llama."""
    return {
        "version": "0.1.0",
        "model_type": "llama",
        "quantization": "q4f16_1",
        "model_config": {
            "hidden_size": 256,
            "intermediate_size": 768,
            "num_attention_heads": 8,
            "num_hidden_layers": 4,
            "rms_norm_eps": 1e-05,
            "vocab_size": 512,
            "tie_word_embeddings": True,
            "position_embedding_base": 10000,
            "rope_scaling": None,
            "context_window_size": 2048,
            "prefill_chunk_size": 1024,
            "num_key_value_heads": 2,
            "head_dim": 32,
            "tensor_parallel_shards": 1,
            "pipeline_parallel_stages": 1,
            "max_batch_size": 4,
            "disaggregation": False,
        },
        "vocab_size": 512,
        "context_window_size": 2048,
        "sliding_window_size": -1,
        "prefill_chunk_size": 1024,
        "attention_sink_size": -1,
        "tensor_parallel_shards": 1,
        "temperature": 0.6,
        "top_p": 0.9,
        "conv_template": {"name": "llama-3"},
        "tokenizer_files": ["tokenizer.json"],
        "bos_token_id": 1,
    }


@pytest.fixture
def run(tmp_path, monkeypatch) -> Callable[..., dict[str, Any]]:
    """Runs the command in a folder of its own; returns the key that it wrote."""
    monkeypatch.chdir(tmp_path)

    def call(config: Any, *arguments: str, device: str = "android") -> dict[str, Any]:
        text = config if isinstance(config, str) else json.dumps(config)
        (tmp_path / "mlc-chat-config.json").write_text(text, encoding="utf-8")
        argv = ["--config", "mlc-chat-config.json", "--device", device, *arguments]
        main([*argv, "--output", "key.json"])
        return json.loads((tmp_path / "key.json").read_text(encoding="utf-8"))

    return call


@pytest.fixture
def error_of(run) -> Callable[..., str]:
    """Runs the command, which must fail; returns the lines of its error without ``error: ``."""

    def call(*args: Any, **kwargs: Any) -> str:
        with pytest.raises(cli.UserError) as caught:
            run(*args, **kwargs)
        return str(caught.value)

    return call
