"""Command line: ``python -m tools.upstream compile --key KEY.json ...``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools import cli, config
from tools.upstream.compile import compile_library, load_versions


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    result = argparse.ArgumentParser(
        prog="python -m tools.upstream",
        description="Compiles a library with the mlc_llm of another Python environment.",
        fromfile_prefix_chars="@",
    )
    commands = result.add_subparsers(dest="command", required=True)
    compile_ = commands.add_parser("compile", help="write a library, its metadata and a log")
    compile_.add_argument(
        "--key", required=True, metavar="FILE", help="of tools.config --any-model"
    )
    compile_.add_argument("--library", required=True, type=Path, metavar="FILE", help=".tar or .so")
    compile_.add_argument("--metadata", required=True, type=Path, metavar="FILE")
    compile_.add_argument("--log", required=True, type=Path, metavar="FILE")
    compile_.add_argument(
        "--log-name",
        metavar="NAME",
        help="what messages call the log, where its path here is not the one to find it by",
    )
    compile_.add_argument(
        "--interpreter", required=True, type=Path, metavar="PYTHON", help="runs mlc_llm"
    )
    compile_.add_argument(
        "--site", required=True, type=Path, metavar="DIR", help="the directory of its packages"
    )
    compile_.add_argument(
        "--stamp",
        required=True,
        type=Path,
        metavar="FILE",
        help="what tools/upstream/probe.py said",
    )
    compile_.add_argument("--symbol-suffix", required=True, metavar="NAME")
    return result


def main(argv: list[str]) -> None:
    """Compiles."""
    args = parser().parse_args(argv)
    compile_library(
        config.load_key(args.key, any_model=True),
        args.library,
        args.metadata,
        args.log,
        interpreter=args.interpreter,
        site=args.site,
        versions=load_versions(args.stamp),
        symbol_suffix=args.symbol_suffix,
        log_name=args.log_name,
    )


if __name__ == "__main__":
    cli.run(main)
