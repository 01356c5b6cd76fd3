"""The Hub of the benchmark: tests/hub in a process of its own, for nobody to share its Python."""

from __future__ import annotations

import contextlib
import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

from benchmarks.workspace import ROOT
from tests.hub.handler import HubHandler
from tests.hub.server import serve

MODEL = ROOT / "examples/quickstart/model"
SHARD_BYTES = 32 << 20
REPO = "org/{name}"

_PIECE = 256 << 10  # bytes


def filler(index: int, nbytes: int) -> bytes:
    """Bytes that no other index has and that are made fast."""
    block = random.Random(index).randbytes(1 << 20)
    return (block * (nbytes // len(block) + 1))[:nbytes]


def model_files(sizes: list[int], first: int) -> dict[str, bytes]:
    """The quickstart's model, with shards of these sizes that its library does not use."""
    files = {path.name: path.read_bytes() for path in MODEL.iterdir()}
    cache = json.loads(files["tensor-cache.json"])
    for index, nbytes in enumerate(sizes, first):
        name = f"filler_{index}.bin"
        files[name] = filler(index, nbytes)
        tensor = {
            "name": f"filler.{index}",
            "shape": [nbytes],
            "dtype": "uint8",
            "format": "raw",
            "byteOffset": 0,
            "nbytes": nbytes,
        }
        cache["records"].append(
            {"dataPath": name, "format": "raw-shard", "nbytes": nbytes, "records": [tensor]}
        )
    files["tensor-cache.json"] = json.dumps(cache).encode()
    return files


class Line:
    """A line that all connections share."""

    def __init__(self, bytes_per_second: float) -> None:
        self._rate = bytes_per_second
        self._free_at = 0.0
        self._lock = threading.Lock()

    def send(self, nbytes: int) -> None:
        """Waits until a piece has passed."""
        with self._lock:
            self._free_at = max(self._free_at, time.monotonic()) + nbytes / self._rate
            wait = self._free_at - time.monotonic()
        if wait > 0:
            time.sleep(wait)


def limit(bytes_per_second: float) -> None:
    """Gives every answer of this process the same line."""
    line = Line(bytes_per_second)

    def send_body(self: HubHandler, body: bytes) -> None:
        for start in range(0, len(body), _PIECE):
            piece = memoryview(body)[start : start + _PIECE]
            line.send(len(piece))
            self.wfile.write(piece)

    HubHandler._send_body = send_body


def main(models: dict[str, list[int]], bytes_per_second: float) -> None:
    """Serves models, given the sizes of their shards, until stdin ends; prints where."""
    if bytes_per_second:
        limit(bytes_per_second)
    with serve() as hub:
        first = 0
        for name, sizes in models.items():
            hub.add(REPO.format(name=name)).commit(model_files(sizes, first))
            first += len(sizes)
        print(hub.url, flush=True)
        sys.stdin.read()


@contextlib.contextmanager
def running(models: dict[str, list[int]], bytes_per_second: float = 0) -> Iterator[str]:
    """Runs `main` in another process; yields the Hub's address."""
    command: list[Any] = [sys.executable, "-m", "benchmarks.fetch.hub"]
    process = subprocess.Popen(
        [*command, json.dumps(models), str(bytes_per_second)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), float(sys.argv[2]))
