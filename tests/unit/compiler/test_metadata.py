"""What a library says of itself is what the runtime and the packaging need, and true."""

from __future__ import annotations

import tempfile

import pytest


@pytest.fixture
def description(compiled):
    return compiled("llama", "android").metadata


def test_fields_of_the_metadata(description):
    """The fields that MLC LLM's runtime reads, with the config's values."""
    metadata = dict(description["metadata"])
    parameters, usage = metadata.pop("params"), metadata.pop("memory_usage")
    assert metadata == {
        "model_type": "llama",
        "quantization": "q4f16_1",
        "context_window_size": 128,
        "sliding_window_size": -1,
        "attention_sink_size": -1,
        "prefill_chunk_size": 32,
        "tensor_parallel_shards": 1,
        "pipeline_parallel_stages": 1,
        "disaggregation": False,
        "kv_state_kind": "kv_cache",
        "max_batch_size": 2,
        "active_vocab_size": None,
        "model_task": "chat",
        "kv_cache": {
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
        },
    }
    assert parameters[0] == {
        "name": "model.embed_tokens.q_weight",
        "shape": ["vocab_size", 8],
        "dtype": "uint32",
        "preprocs": [],
        "pipeline_stages": [0],
    }
    # One chunk of embeddings, 32 tokens of 64 float16.
    assert usage["alloc_embedding_tensor"] == 32 * 64 * 2
    assert usage["prefill"] > usage["decode"] > 0


def test_functions(description):
    """Every function that the runtime looks for has a memory figure, hence is in the library."""
    forward = ["prefill", "decode", "batch_prefill", "batch_decode", "batch_verify"]
    assert set(description["metadata"]["memory_usage"]) == {
        *forward,
        *[f"{name}_to_last_hidden_states" for name in forward],
        "alloc_embedding_tensor",
        "batch_select_last_hidden_states",
        "create_tir_paged_kv_cache",
        "embed",
        "gather_hidden_states",
        "get_logits",
        "scatter_hidden_states",
        "softmax_with_temperature",
    }


def test_memory(description):
    """Parameters, cache and temporaries add up; the first two by hand."""
    quantized_rows = {"embed": 100, "lm_head": 100, "qkv": 128, "o": 64, "gate_up": 192}
    # 64 columns: 8 words of 4 bytes and 2 scales of 2; down_proj has 96: 12 words and 3 scales.
    parameters = sum(quantized_rows.values()) * (8 * 4 + 2 * 2) + 64 * (12 * 4 + 3 * 2)
    norms = 3 * 64 * 2
    cache = 2 * 2 * 16 * 2 * 128
    memory = description["memory"]
    assert memory["parameter_bytes"] == parameters + norms
    assert memory["kv_cache_bytes"] == cache
    assert memory["temporary_bytes"] == max(description["metadata"]["memory_usage"].values())
    assert memory["total_bytes"] == parameters + norms + cache + memory["temporary_bytes"]


def test_library_entry(description):
    """What packaging needs to know of the file."""
    assert description["model_lib"] == "small"
    assert description["device"] == "android"
    assert description["library"] == {
        "format": "tar",
        "object": "elf",
        "symbol": "small___tvm_ffi__library_bin",
        "device_code": "opencl-source",
    }
    assert description["versions"] == {"tvm": "0.27.0.post1", "tvm_ffi": "0.1.14.post1"}


def test_log(compiled):
    """The log names the key, the versions and the memory, and no time or path."""
    log = compiled("llama", "android").log
    for text in ('"prefill_chunk_size": 32', "0.27.0.post1", "kv_cache: 16384", "prefill: "):
        assert text in log
    assert tempfile.gettempdir() not in log
