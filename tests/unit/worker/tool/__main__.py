"""Does what its arguments say: a tool that is loaded by the worker under test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools import cli

PRELOAD = ["colorsys"]
SHARED_OUTPUTS = ("--output",)

calls = 0


def main(argv: list[str]) -> int | None:
    """Runs one command."""
    global calls
    calls += 1
    command, *arguments = argv
    return COMMANDS[command](*arguments)


def _calls() -> None:
    print(f"call {calls}, preloaded {'colorsys' in sys.modules}")


def _fail(message: str) -> None:
    raise cli.UserError(message)


def _crash(name: str) -> None:
    Path(tempfile.mkdtemp(), "half").write_text("half")
    print("before the crash", flush=True)
    os.kill(os.getpid(), getattr(signal, name))


def _sleep(pid_file: str) -> None:
    """Sleeps, as does a process it starts; both ids go to a file."""
    other = subprocess.Popen(["sleep", "60"])
    cli.write_text(pid_file, f"{os.getpid()} {other.pid}")
    time.sleep(60)


def _copy(option: str, output: str, source: str, log: str) -> None:
    """Copies a file after a while, and adds a line to a log."""
    with open(log, "a") as stream:
        stream.write(f"{source}\n")
    time.sleep(0.3)
    data = Path(source).read_bytes()
    if data == b"bad":
        raise cli.UserError(f"{option} {output}: bad")
    cli.write_bytes(output, data)
    print("copied")


def _allocate(megabytes: str) -> None:
    block = bytearray(int(megabytes) << 20)
    block[:: 1 << 12] = b"x" * len(block[:: 1 << 12])


COMMANDS = {
    "allocate": _allocate,
    "calls": _calls,
    "copy": _copy,
    "crash": _crash,
    "exit": int,
    "fail": _fail,
    "sleep": _sleep,
}

if __name__ == "__main__":
    cli.run(main)
