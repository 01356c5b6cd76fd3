"""Where the time of a compile goes: python -m benchmarks.compile.passes (see README.md)."""

from __future__ import annotations

import argparse
import collections
import sys
import time

import tvm

from benchmarks.models import MODELS, chat_config
from tools import config
from tools.compiler.build import build_library
from tools.compiler.progress import Progress


@tvm.ir.instrument.pass_instrument
class _PassTimes:
    """Seconds of processors by pass, those of the passes inside one left out."""

    def __init__(self) -> None:
        self.current: str | None = None
        self.seconds: collections.Counter[tuple[str, str]] = collections.Counter()
        self.stage = ""
        self._running: list[list[float]] = []

    def run_before_pass(self, _mod: tvm.IRModule, _info: tvm.transform.PassInfo) -> None:
        self._running.append([time.process_time(), 0.0])

    def run_after_pass(self, _mod: tvm.IRModule, info: tvm.transform.PassInfo) -> None:
        began, inside = self._running.pop()
        took = time.process_time() - began
        if self._running:
            self._running[-1][1] += took
        self.seconds[self.stage, str(info.name)] += took - inside


class _Stages(Progress):
    """Seconds of processors by stage."""

    def __init__(self) -> None:
        super().__init__(verbose=False)
        self.instrument = _PassTimes()
        self.seconds: dict[str, float] = {}
        self._began_at = 0.0

    def stage(self, name: str) -> None:
        super().stage(name)
        self.instrument.stage = name
        self._began_at = time.process_time()

    def finish(self) -> None:
        if stage := self.instrument.stage:
            self.seconds[stage] = time.process_time() - self._began_at
        self.instrument.stage = ""
        super().finish()


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(
        prog="python -m benchmarks.compile.passes", description=__doc__
    )
    result.add_argument("--model", default="Llama-3.2-1B", choices=MODELS)
    result.add_argument("--device", default="android")
    result.add_argument("--quantization", default="q4f16_1")
    result.add_argument("--passes", type=int, default=4, help="how many of each stage are shown")
    return result


def main(argv: list[str]) -> None:
    """Prints the stages, and of each the passes that take longest."""
    args = parser().parse_args(argv)
    key = config.build_key(
        chat_config(args.model, args.quantization), args.device, model_lib="benchmark"
    )
    loaded = time.process_time()
    progress = _Stages()
    build_library(key, system_library=True, progress=progress)
    progress.finish()
    print(f"{'start, TVM loaded':40} {loaded:6.2f} s")
    for stage, seconds in progress.seconds.items():
        print(f"{stage:40} {seconds:6.2f} s")
        passes = progress.instrument.seconds
        of_stage = collections.Counter({name: passes[s, name] for s, name in passes if s == stage})
        for name, took in of_stage.most_common(args.passes):
            print(f"    {name:36} {took:6.2f} s")


if __name__ == "__main__":
    main(sys.argv[1:])
