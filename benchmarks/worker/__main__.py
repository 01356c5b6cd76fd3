"""What a worker's compiles cost: python -m benchmarks.worker (see README.md beside this file)."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import subprocess
import sys

from benchmarks.workspace import ROOT, Scratch

_CONFIG = ROOT / "examples/quickstart/model/mlc-chat-config.json"


class Worker:
    """The compiler as Bazel's persistent worker."""

    def __init__(self) -> None:
        runner = [sys.executable, "-s", "-B", str(ROOT / "tools/run_module.py")]
        site = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [*runner, str(ROOT), "tools.compiler", "--persistent_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": site},
        )

    def compile(self, library: pathlib.Path, context: int) -> float:
        """Compiles with this context; returns the seconds of processors of the request."""
        before = self._children_seconds()
        request = {"arguments": arguments(library, context), "requestId": 1}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if answer["exitCode"]:
            raise SystemExit(answer["output"])
        return self._children_seconds() - before

    def _children_seconds(self) -> float:
        path = pathlib.Path(f"/proc/{self._process.pid}/stat")
        fields = path.read_text().rpartition(")")[2].split()
        return sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")

    def resident(self) -> float:
        """The worker's own memory in MB; what it kept of requests is in it."""
        pages = pathlib.Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 1e6

    def stop(self) -> None:
        """Ends the worker."""
        self._process.stdin.close()
        self._process.wait()


def arguments(library: pathlib.Path, context: int) -> list[str]:
    """Returns the compiler's arguments."""
    overrides = json.dumps({"context_window_size": context})
    model = ["--config", str(_CONFIG), "--overrides", overrides, "--device", "android"]
    outputs = [
        "--library",
        str(library),
        "--metadata",
        f"{library}.json",
        "--log",
        f"{library}.log",
    ]
    return ["compile", *model, *outputs]


def process_seconds(library: pathlib.Path, context: int) -> float:
    """Compiles in a process of its own; returns its seconds of processors."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-s", "-B", "-m", "tools.compiler", *arguments(library, context)]
    subprocess.run(command, check=True, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(argv: list[str] | None = None) -> None:
    """Compiles one model with ever other contexts, and prints what that costs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.worker", description=__doc__)
    parser.add_argument("--compiles", type=int, default=100)
    args = parser.parse_args(argv)
    shown = {1, 10, 30, args.compiles}
    with Scratch() as root:
        library = root / "library.tar"
        alone = process_seconds(library, 128)
        print(f"in a process of its own: {alone:.1f} s of processors", flush=True)
        worker = Worker()
        print("| compiles | the last, s of processors | the worker's memory, MB |\n|---|---|---|")
        for count in range(1, args.compiles + 1):
            seconds = worker.compile(library, 128 + count)
            if count in shown:
                print(f"| {count} | {seconds:.1f} | {worker.resident():.0f} |", flush=True)
        worker.stop()


if __name__ == "__main__":
    main()
