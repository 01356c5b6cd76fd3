"""What compiling costs: python -m benchmarks.compile (see README.md beside this file)."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.models import MODELS, chat_config

ROOT = Path(__file__).parents[2]
SHOWN_EVERYWHERE = "Llama-3.2-1B"
OUR_COMMAND = (
    f"{shlex.quote(sys.executable)} -m tools.compiler compile --config {{config}}"
    " --device {device} --library {directory}/library.tar"
)


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.compile", description=__doc__)
    result.add_argument("--model", action="append", choices=MODELS, help="default: all; repeatable")
    result.add_argument(
        "--device",
        action="append",
        help=f"default: android for all models, others for {SHOWN_EVERYWHERE}; repeatable",
    )
    result.add_argument("--quantization", default="q4f16_1")
    result.add_argument(
        "--peer",
        metavar="COMMAND",
        help="a compiler to compare with, run in turn; {config}, {device} and {directory} stand "
        "for mlc-chat-config.json, the device and a folder for what it writes",
    )
    return result


def cases(args: argparse.Namespace) -> list[tuple[str, str]]:
    """Returns the models and devices to compile."""
    models = args.model or sorted(MODELS)
    if args.device:
        return [(model, device) for device in args.device for model in models]
    others = ["iphone", "webgpu", "cuda:x86_64-linux", "cpu:x86_64-linux"]
    return [(model, "android") for model in models] + [
        (SHOWN_EVERYWHERE, device) for device in others if SHOWN_EVERYWHERE in models
    ]


def measure(command: str, config: dict, device: str) -> tuple[float, float]:
    """Runs a compiler; returns the user seconds and the peak of memory in MB of its processes."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "mlc-chat-config.json")
        path.write_text(json.dumps(config), encoding="utf-8")
        filled = command.format(config=path, device=device, directory=directory)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(
            shlex.split(filled), env=environment, stdout=subprocess.DEVNULL
        ) as process:
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{filled}: exit status {process.returncode}")
    return usage.ru_utime, usage.ru_maxrss / 1000


def main(argv: list[str]) -> None:
    """Prints a line for each model and device as soon as it is known."""
    args = parser().parse_args(argv)
    print(f"{'model':16} {'device':18} {'user s':>7} {'MB':>5}", end="")
    print(f" {'peer s':>7} {'MB':>5} {'ratio':>6}" if args.peer else "")
    for model, device in cases(args):
        config = chat_config(model, args.quantization)
        seconds, memory = measure(OUR_COMMAND, config, device)
        print(f"{model:16} {device:18} {seconds:7.1f} {memory:5.0f}", end="", flush=True)
        if args.peer:
            peer_seconds, peer_memory = measure(args.peer, config, device)
            ratio = seconds / peer_seconds
            print(f" {peer_seconds:7.1f} {peer_memory:5.0f} {ratio:6.2f}", end="")
        print(flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
