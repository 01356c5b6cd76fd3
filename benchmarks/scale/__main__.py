"""What many models cost: python -m benchmarks.scale (see README.md beside this file)."""

from __future__ import annotations

import argparse
import dataclasses
import os
import statistics
from collections.abc import Iterator

from benchmarks.scale import models
from benchmarks.workspace import Scratch, Workspace

_TARGETS = ("//...", "@listed//:mlc_package")


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    result.add_argument(
        "--models", type=int, nargs="+", default=[10, 100, 1000], help="multiples of 10"
    )
    result.add_argument("--repeats", type=int, default=5, help="no-ops of each; medians are shown")
    result.add_argument("--profile", metavar="DIRECTORY", help="where profiles of Bazel go")
    return result


@dataclasses.dataclass
class Figures:
    """What a workspace costs; times in seconds.

    Attributes:
        models: How many there are.
        analysis: Loading and analysis by a server that has just started.
        processor: Seconds of processors in that, the server's start left out.
        heap: The server's memory after analysis, without garbage, in MB.
        build: The first build; equal libraries are compiled once.
        no_op: The build once more, nothing changed.
        no_op_processor: Seconds of processors in that.
        trusting: The no-op with --config=trust-outputs.
        watching: The same with --watchfs, too.
    """

    models: int
    analysis: float
    processor: float
    heap: int
    build: float
    no_op: float
    no_op_processor: float
    trusting: float
    watching: float


def measure(count: int, repeats: int, profile: str | None) -> Figures:
    """Builds a workspace of so many models.

    Args:
        count: A multiple of 10.
        repeats: How many no-ops.
        profile: A directory for Bazel's profiles, or None.
    """
    with Scratch() as root, Workspace(root, models.MODULE_WITH_CONFIG) as workspace:
        models.write(workspace, count)
        # What repositories fetch is not of interest, so they are there already.
        workspace.bazel("build", "--nobuild", *_TARGETS)
        workspace.bazel("shutdown")
        workspace.bazel("info")
        before = workspace.processor_seconds()
        analysis = workspace.bazel("build", "--nobuild", *_profile(profile, count), *_TARGETS)
        processor = workspace.processor_seconds() - before
        heap = workspace.run("info", "used-heap-size-after-gc").strip().removesuffix("MB")
        build = workspace.bazel("build", *_TARGETS)
        before = workspace.processor_seconds()
        no_op = _no_op(workspace, repeats)
        no_op_processor = (workspace.processor_seconds() - before) / repeats
        trusting = _no_op(workspace, repeats, "--config=trust-outputs")
        # The first one with --watchfs looks at every source.
        workspace.bazel("build", "--watchfs", *_TARGETS)
        watching = _no_op(workspace, repeats, "--config=trust-outputs", "--watchfs")
    times = (no_op, no_op_processor, trusting, watching)
    return Figures(count, analysis, processor, int(heap), build, *times)


def _no_op(workspace: Workspace, repeats: int, *flags: str) -> float:
    return statistics.median(workspace.bazel("build", *flags, *_TARGETS) for _ in range(repeats))


def _profile(directory: str | None, count: int) -> Iterator[str]:
    if directory:
        directory = os.path.abspath(directory)
        yield f"--profile={directory}/{count}.profile.gz"
        yield f"--starlark_cpu_profile={directory}/{count}.starlark.gz"


def main(argv: list[str] | None = None) -> None:
    """Measures every size and prints a table."""
    args = parser().parse_args(argv)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    print(
        "| models | analysis | of processors | heap | build | no-op | of processors | trusting "
        "| watching |"
    )
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for count in args.models:
        f = measure(count, args.repeats, args.profile)
        print(
            f"| {f.models} | {f.analysis:.1f} s | {f.processor:.1f} s | {f.heap} MB "
            f"| {f.build:.1f} s | {f.no_op:.2f} s | {f.no_op_processor:.2f} s "
            f"| {f.trusting:.2f} s | {f.watching:.2f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
