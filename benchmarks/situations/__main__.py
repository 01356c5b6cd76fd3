"""What daily builds cost: python -m benchmarks.situations (see README.md beside this file)."""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import tempfile
import time

from benchmarks.situations import bundle, clone, package, rows
from benchmarks.workspace import Scratch

_PARTS = ("package", "bundle", "clone")


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(prog="python -m benchmarks.situations", description=__doc__)
    result.add_argument("--repeats", type=int, default=5, help="runs of each; the least is shown")
    result.add_argument("--part", action="append", choices=_PARTS, help="default: all; repeatable")
    result.add_argument("--plot", metavar="FILE", help="a picture of the table, such as x.svg")
    result.add_argument(
        "--upstream",
        metavar="COMMAND",
        help="upstream's compiler, run in this run; {config} and {directory} stand for "
        "mlc-chat-config.json and a folder for what it writes",
    )
    return result


def upstream_compiler(command: str, config: dict) -> float:
    """Runs upstream's compiler; returns the seconds."""
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory, "mlc-chat-config.json")
        path.write_text(json.dumps(config), encoding="utf-8")
        start = time.monotonic()
        subprocess.run(
            shlex.split(command.format(config=path, directory=directory)),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return time.monotonic() - start


def main(argv: list[str] | None = None) -> None:
    """Measures the parts, prints the table, and draws it."""
    args = parser().parse_args(argv)
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    upstream = None
    if args.upstream:

        def upstream(config: dict) -> float:
            return upstream_compiler(args.upstream, config)

    parts = {
        "package": lambda root: package.measure(root, args.repeats, upstream),
        "bundle": lambda root: bundle.measure(root, args.repeats),
        "clone": lambda root: clone.measure(root, args.repeats),
    }
    found: list[rows.Row] = []
    for part in args.part or _PARTS:
        with Scratch() as root:
            measured = parts[part](root)
        print(rows.table(measured), flush=True)
        found += measured
    print(rows.table(found))
    if args.plot:
        from benchmarks.situations.plot import write_plot

        write_plot(found, args.plot)


if __name__ == "__main__":
    main()
