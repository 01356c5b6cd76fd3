"""llama.cpp on a model of the same shapes and random weights: a program for a Python that has it.

It writes a GGUF, then answers every line on stdin with one on stdout: the seconds of the prompt's
prefill and of the decoding. It imports nothing of rules_mlc.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import gguf
import llama_cpp
import numpy as np


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(description=__doc__)
    result.add_argument("--fields", type=json.loads, required=True, help="of model_config, JSON")
    result.add_argument("--type", choices=["F16", "F32", "Q4_0"], required=True)
    result.add_argument("--threads", type=int, required=True)
    result.add_argument("--clock", choices=["perf_counter", "process_time"], required=True)
    result.add_argument("--prompt", type=int, required=True)
    result.add_argument("--tokens", type=int, required=True)
    return result


def write_model(path: Path, fields: dict, weight_type: str) -> None:
    """Writes a llama of the given sizes; all matrices, the embedding too, have the type."""
    writer = gguf.GGUFWriter(path, "llama")
    hidden, inner = fields["hidden_size"], fields["intermediate_size"]
    heads, groups = fields["num_attention_heads"], fields["num_key_value_heads"]
    head_dim = fields.get("head_dim", hidden // heads)
    writer.add_block_count(fields["num_hidden_layers"])
    writer.add_context_length(4096)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(inner)
    writer.add_head_count(heads)
    writer.add_head_count_kv(groups)
    writer.add_rope_dimension_count(head_dim)
    writer.add_key_length(head_dim)
    writer.add_value_length(head_dim)
    writer.add_rope_freq_base(fields["rope_theta"])
    writer.add_layer_norm_rms_eps(fields["rms_norm_eps"])
    writer.add_vocab_size(fields["vocab_size"])
    writer.add_tokenizer_model("no_vocab")
    shapes = {"token_embd": (fields["vocab_size"], hidden), "output_norm": (hidden,)}
    if not fields.get("tie_word_embeddings"):
        shapes["output"] = (fields["vocab_size"], hidden)
    for layer in range(fields["num_hidden_layers"]):
        shapes |= {
            f"blk.{layer}.{name}": shape
            for name, shape in {
                "attn_norm": (hidden,),
                "attn_q": (heads * head_dim, hidden),
                "attn_k": (groups * head_dim, hidden),
                "attn_v": (groups * head_dim, hidden),
                "attn_output": (hidden, heads * head_dim),
                "ffn_norm": (hidden,),
                "ffn_gate": (inner, hidden),
                "ffn_up": (inner, hidden),
                "ffn_down": (hidden, inner),
            }.items()
        }
    for name, shape in shapes.items():
        if len(shape) == 1:
            writer.add_tensor(f"{name}.weight", np.ones(shape, np.float32))
        else:
            kind = gguf.GGMLQuantizationType[weight_type]
            writer.add_tensor(f"{name}.weight", random_matrix(shape, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def random_matrix(shape: tuple[int, int], kind: gguf.GGMLQuantizationType) -> np.ndarray:
    """Returns values of a usual size; packed ones are blocks of a scale and 32 of -8 to 7."""
    random = np.random.default_rng(0)
    if kind != gguf.GGMLQuantizationType.Q4_0:
        values = random.random(shape, np.float32) / 16
        return values.astype(np.float16 if kind == gguf.GGMLQuantizationType.F16 else np.float32)
    blocks = np.empty((*shape[:-1], shape[-1] // 32, 18), np.uint8)
    scales = (random.random(blocks.shape[:-1], np.float32) / 64).astype(np.float16)
    blocks[..., :2] = scales[..., None].view(np.uint8)
    blocks[..., 2:] = random.integers(256, size=(*blocks.shape[:-1], 16), dtype=np.uint8)
    return blocks.reshape(*shape[:-1], -1)


class Model:
    """A GGUF that is loaded.

    Args:
        path: The file.
        threads: How many compute.
        vocab_size: Number of tokens.
        clock: Returns seconds.
    """

    def __init__(
        self, path: Path, threads: int, vocab_size: int, clock: Callable[[], float]
    ) -> None:
        self.clock = clock
        self.vocab_size = vocab_size
        silent = llama_cpp.llama_log_callback(lambda *_: None)
        llama_cpp.llama_log_set(silent, ctypes.c_void_p(0))
        self.silent = silent
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        self.model = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        options = llama_cpp.llama_context_default_params()
        options.n_ctx = options.n_batch = options.n_ubatch = 1024
        options.n_threads = options.n_threads_batch = threads
        self.context = llama_cpp.llama_init_from_model(self.model, options)

    def best(self, tokens: list[int]) -> int:
        """Appends tokens to the sequence; returns the most likely next one."""
        array = (llama_cpp.llama_token * len(tokens))(*tokens)
        batch = llama_cpp.llama_batch_get_one(array, len(tokens))
        if llama_cpp.llama_decode(self.context, batch):
            raise SystemExit("error: llama_decode failed")
        logits = llama_cpp.llama_get_logits_ith(self.context, -1)
        return int(np.ctypeslib.as_array(logits, (self.vocab_size,)).argmax())

    def measure(self, prompt: int, tokens: int) -> tuple[float, float]:
        """Returns the seconds of a prompt's prefill, and of the decoding of `tokens` tokens."""
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(self.context), True)
        start = self.clock()
        token = self.best([number % self.vocab_size for number in range(prompt)])
        prefilled = self.clock()
        for _ in range(tokens):
            token = self.best([token])
        return prefilled - start, self.clock() - prefilled


def main() -> None:
    """Answers until stdin ends."""
    args = parser().parse_args()
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "model.gguf")
        write_model(path, args.fields, args.type)
        model = Model(path, args.threads, args.fields["vocab_size"], getattr(time, args.clock))
        try:
            while input():
                print(json.dumps(model.measure(args.prompt, args.tokens)), flush=True)
        except EOFError:
            pass


if __name__ == "__main__":
    main()
