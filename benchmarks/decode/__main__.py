"""How fast the CPU's libraries are: python -m benchmarks.decode (README.md says more)."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.decode.bandwidth import Copy
from benchmarks.models import MODELS, chat_config

HERE = Path(__file__).parent
PEER_TYPE = {"q0f16": "F16", "q0f32": "F32", "q4f16_1": "Q4_0", "q4f32_1": "Q4_0"}
"""GGUF's type with as many bits for a weight."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    llamas = [name for name, fields in MODELS.items() if fields["model_type"] == "llama"]
    result = argparse.ArgumentParser(prog="python -m benchmarks.decode", description=__doc__)
    result.add_argument("--model", default="Llama-3.2-1B", choices=llamas)
    result.add_argument("--quantization", default="q4f16_1", choices=PEER_TYPE)
    result.add_argument("--layers", type=int, help="default: the model's")
    result.add_argument("--target", default="{}", type=json.loads, help="of mlc_model_lib, as JSON")
    result.add_argument("--prompt", type=int, default=128, help="tokens of the prefill")
    result.add_argument("--tokens", type=int, default=64, help="tokens that are decoded after it")
    result.add_argument("--rounds", type=int, default=3, help="each side once in each of them")
    result.add_argument("--threads", type=int, default=os.cpu_count(), help="of each side")
    result.add_argument(
        "--processor-time",
        action="store_true",
        help="not the clock's but the processor's seconds, where others use it too; one thread",
    )
    result.add_argument("--linker", type=Path, default=shutil.which("ld.lld"), help="ld.lld")
    result.add_argument("--peer", metavar="PYTHON", help="that has llama-cpp-python and gguf")
    return result


class Peer:
    """llama.cpp in a process of its own."""

    def __init__(self, args: argparse.Namespace, config: dict) -> None:
        fields = json.dumps(config["model_config"])
        command = [args.peer, str(HERE / "llama_cpp_peer.py"), "--fields", fields]
        command += ["--type", PEER_TYPE[args.quantization], "--threads", str(args.threads)]
        command += ["--clock", clock_name(args)]
        command += ["--prompt", str(args.prompt), "--tokens", str(args.tokens)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)

    def measure(self, _prompt: int, _tokens: int) -> tuple[float, float]:
        """Returns the seconds of prefill and of decoding."""
        self.process.stdin.write("measure\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"error: the peer ended with status {self.process.wait()}")
        prefill, decode = json.loads(line)
        return prefill, decode


def main(argv: list[str]) -> None:
    """Prints the figures of each round, and their medians."""
    args = parser().parse_args(argv)
    if args.processor_time:
        args.threads = 1
    if args.linker is None:
        raise SystemExit("error: there is no ld.lld on PATH; give --linker")
    # TVM reads it when its first thread starts; by itself it takes half of the processors.
    os.environ["TVM_NUM_THREADS"] = str(args.threads)
    from benchmarks.decode.library import Library

    clock = getattr(time, clock_name(args))
    config = chat_config(args.model, args.quantization)
    if args.layers:
        config["model_config"]["num_hidden_layers"] = args.layers
    with tempfile.TemporaryDirectory() as directory:
        library = Library(config, args.target, args.linker, Path(directory), clock)
    sides = {"ours": library} | ({"llama.cpp": Peer(args, config)} if args.peer else {})
    copy = Copy(args.threads, clock)
    print(f"{args.model} {args.quantization}: {library.bytes_per_token / 1e6:.0f} MB of weights")
    print(f"{args.threads} thread(s), prompt of {args.prompt} tokens, {args.tokens} decoded")
    print(f"{'':9} {'prefill/s':>9} {'decode/s':>9} {'GB/s':>6} {'copy GB/s':>9} {'share':>6}")
    figures: dict[str, list[list[float]]] = {name: [] for name in sides}
    for side in sides.values():
        side.measure(args.prompt, 1 if side is library else args.tokens)
    for _ in range(args.rounds):
        for name, side in sides.items():
            prefill, decode = side.measure(args.prompt, args.tokens)
            read = library.bytes_per_token * args.tokens / decode
            copied = copy.bytes_per_second()
            row = [args.prompt / prefill, args.tokens / decode, read, copied, read / copied]
            figures[name].append(row)
            print_row(name, row)
    print("medians")
    for name, rows in figures.items():
        print_row(name, [statistics.median(column) for column in zip(*rows, strict=True)])


def clock_name(args: argparse.Namespace) -> str:
    """Returns the function of `time` that all sides are measured by."""
    return "process_time" if args.processor_time else "perf_counter"


def print_row(name: str, row: list[float]) -> None:
    """Prints what a side did, in the columns of the table."""
    prefill, decode, read, copied, share = row
    print(
        f"{name:9} {prefill:9.1f} {decode:9.2f} {read / 1e9:6.1f} {copied / 1e9:9.1f} {share:6.0%}",
        flush=True,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
