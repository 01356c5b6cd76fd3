"""What a conversion costs: python -m benchmarks.convert (see README.md beside this file)."""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

from tools import config
from tools.compiler.parameters import stored_weights

ROOT = pathlib.Path(__file__).parents[2]

# Llama 3.2 3B.
CONFIG = {
    "model_type": "llama",
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "max_position_embeddings": 131072,
    "num_attention_heads": 24,
    "num_hidden_layers": 28,
    "num_key_value_heads": 8,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
    "vocab_size": 128256,
}

_FILE_BYTES = 5 << 30  # of a shard of the checkpoint, as the Hub has them
_NOISE_BYTES = 64 << 20


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.convert", description=__doc__)
    result.add_argument("--layers", type=int, default=28, help="28 are those of Llama 3.2 3B")
    result.add_argument("--quantization", default="q4f16_1")
    result.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="one run of each")
    result.add_argument("--folder", help="where 11 GB are free (default: the system's)")
    return result


def shapes(layers: int) -> dict[str, tuple[int, ...]]:
    """Returns names and shapes of a checkpoint's tensors."""
    size, inner = CONFIG["hidden_size"], CONFIG["intermediate_size"]
    groups = size // CONFIG["num_attention_heads"] * CONFIG["num_key_value_heads"]
    result: dict[str, tuple[int, ...]] = {
        "model.embed_tokens": (CONFIG["vocab_size"], size),
        "model.norm": (size,),
    }
    for layer in range(layers):
        result |= {
            f"model.layers.{layer}.{name}": shape
            for name, shape in {
                "input_layernorm": (size,),
                "mlp.down_proj": (size, inner),
                "mlp.gate_proj": (inner, size),
                "mlp.up_proj": (inner, size),
                "post_attention_layernorm": (size,),
                "self_attn.k_proj": (groups, size),
                "self_attn.o_proj": (size, size),
                "self_attn.q_proj": (size, size),
                "self_attn.v_proj": (groups, size),
            }.items()
        }
    return {f"{name}.weight": shape for name, shape in result.items()}


def write_checkpoint(folder: pathlib.Path, layers: int) -> list[str]:
    """Writes safetensors of bfloat16 noise and their index; returns the paths."""
    random = np.random.default_rng(0)
    noise = random.standard_normal(_NOISE_BYTES // 2, np.float32) / 32
    data = (noise.view(np.uint32) >> 16).astype("<u2").tobytes()
    files: list[dict[str, tuple[int, ...]]] = [{}]
    filled = 0
    for name, shape in shapes(layers).items():
        nbytes = 2 * math.prod(shape)
        if filled + nbytes > _FILE_BYTES:
            files.append({})
            filled = 0
        files[-1][name] = shape
        filled += nbytes
    index: dict[str, str] = {}
    for number, tensors in enumerate(files, 1):
        path = folder / f"model-{number:05}-of-{len(files):05}.safetensors"
        index |= dict.fromkeys(tensors, path.name)
        header, end = {}, 0
        for name, shape in tensors.items():
            span = [end, end := end + 2 * math.prod(shape)]
            header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": span}
        text = json.dumps(header).encode()
        with open(path, "wb") as file:
            file.write(len(text).to_bytes(8, "little") + text)
            for first in range(0, end, len(data)):
                file.write(data[: min(len(data), end - first)])
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    return sorted(str(path) for path in folder.glob("model*"))


def measured(command: list[str]) -> tuple[float, float, int]:
    """Runs a command; returns its seconds, processor seconds and the most bytes of memory."""
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=ROOT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"error: exit status {process.returncode} of {' '.join(command[:4])}")
    seconds = time.monotonic() - start
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main(argv: list[str] | None = None) -> None:
    """Makes the checkpoint, converts it with each number of workers and prints a table."""
    args = parser().parse_args(argv)
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = pathlib.Path(name)
        (folder / "checkpoint").mkdir()
        files = write_checkpoint(folder / "checkpoint", args.layers)
        key = config.checkpoint_key({**CONFIG, "num_hidden_layers": args.layers}, args.quantization)
        (folder / "parameters.json").write_text(json.dumps(stored_weights(key)))
        nbytes = sum(os.path.getsize(path) for path in files)
        print(f"checkpoint: {nbytes / 1e9:.2f} GB, {args.quantization}, {args.layers} layers")
        print("| workers | seconds | processor seconds | MB/s | peak memory | output |")
        print("|---|---|---|---|---|---|")
        found = set()
        for workers in args.workers:
            output = folder / f"output_{workers}"
            command = [sys.executable, "-m", "tools.convert_weight", f"--workers={workers}"]
            command += ["--parameters", str(folder / "parameters.json"), "--output", str(output)]
            command += ["--digests", str(folder / "digests.json"), *files]
            seconds, busy, memory = measured(command)
            digests = (folder / "digests.json").read_bytes()
            found.add(hashlib.sha256(digests).hexdigest())
            written = sum(entry["nbytes"] for entry in json.loads(digests).values())
            print(
                f"| {workers} | {seconds:.1f} | {busy:.1f} | {nbytes / seconds / 1e6:.0f} | "
                f"{memory / 1e6:.0f} MB | {written / 1e9:.2f} GB |"
            )
            for path in output.iterdir():
                path.unlink()
        print("every run wrote the same bytes" if len(found) == 1 else "the runs differ")
        if len(found) != 1:
            sys.exit(1)


if __name__ == "__main__":
    main()
