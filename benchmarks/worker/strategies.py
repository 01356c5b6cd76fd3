"""What compiles cost by how they run: python -m benchmarks.worker.strategies (see README.md)."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import pathlib
import statistics

from benchmarks.workspace import ROOT, Scratch, Workspace

_CONFIG = ROOT / "examples/quickstart/model/mlc-chat-config.json"

STRATEGIES = {
    "a worker for all": [],
    "workers with a sandbox (`shared-cache`)": ["--config=shared-cache"],
    "processes with a sandbox": ["--config=shared-cache", "--strategy=MlcCompile=sandboxed"],
}
"""Flags of Bazel by what runs the compiles."""

_LIBRARY = 'mlc_model_lib(name = "{name}", config = "{name}.json", device = "android")\n'
_LOAD = 'load("@rules_mlc//rules:defs.bzl", "mlc_model_lib")\n\n'


def _write_models(workspace: Workspace, contexts: list[int]) -> None:
    config = json.loads(_CONFIG.read_text(encoding="utf-8"))
    names = [f"model{number}" for number in range(len(contexts))]
    for name, context in zip(names, contexts, strict=True):
        workspace.write(f"{name}.json", json.dumps({**config, "context_window_size": context}))
    libraries = "".join(_LIBRARY.format(name=name) for name in names)
    workspace.write("BUILD.bazel", _LOAD + libraries)


def _worker_memory(output: pathlib.Path) -> float:
    """MB of the compile workers below an output tree; what they share counts once."""
    total = 0
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if b"tools.compiler\0--persistent_worker" not in command:
                continue
            if not (process / "cwd").resolve().is_relative_to(output):
                continue
            (line,) = [
                line
                for line in (process / "smaps_rollup").read_text().splitlines()
                if line.startswith("Pss:")
            ]
        except OSError:
            continue
        total += int(line.split()[1])
    return total * 1024 / 1e6


def main(argv: list[str] | None = None) -> None:
    """Compiles models that nobody has compiled, by every strategy in turn; prints a table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.worker.strategies", description=__doc__
    )
    parser.add_argument("--models", type=int, default=8, help="compiles of a build")
    parser.add_argument("--repeats", type=int, default=3, help="builds, of which medians are shown")
    args = parser.parse_args(argv)
    contexts = itertools.count(128)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    print("| compiles run in | the first build, s | the next, s | workers, MB |\n|---|---|---|---|")
    with Scratch() as root, Workspace(root) as workspace:
        for name, flags in STRATEGIES.items():
            seconds = []
            for _ in range(1 + args.repeats):
                _write_models(workspace, [next(contexts) for _ in range(args.models)])
                workspace.bazel("build", "--nobuild", *flags, "//...")
                seconds.append(workspace.bazel("build", *flags, "//..."))
            first, later = seconds[0], statistics.median(seconds[1:])
            memory = _worker_memory(root)
            print(f"| {name} | {first:.1f} | {later:.1f} | {memory:.0f} |", flush=True)
            workspace.bazel("shutdown")


if __name__ == "__main__":
    main()
