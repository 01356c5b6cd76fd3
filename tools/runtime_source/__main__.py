"""Command line: ``python -m tools.runtime_source --device android --source mlc-llm ...``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tools import cli
from tools.cli import UserError
from tools.runtime_source.build import build


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    result = argparse.ArgumentParser(
        prog="python -m tools.runtime_source",
        description="Builds upstream's runtime with its own scripts.",
        fromfile_prefix_chars="@",
    )
    result.add_argument("--where", default="the runtime", help="what errors call it")
    result.add_argument("--device", required=True)
    result.add_argument(
        "--source", type=Path, help="mlc-llm's sources: a directory or a .tar ($MLC_LLM_SOURCE_DIR)"
    )
    result.add_argument("--version", required=True, help="of the TVM in the sources")
    result.add_argument("--model-archive", type=Path, metavar="LIB.a", help="for android")
    result.add_argument(
        "--file",
        action="append",
        nargs=2,
        required=True,
        metavar=("PATH", "OUT"),
        help="a file below dist/lib, and where to write it; repeatable",
    )
    result.add_argument(
        "--complete", action="store_true", help="warn of libraries that no --file takes"
    )
    result.add_argument("--log", required=True, type=Path, metavar="OUT")
    return result


def main(argv: list[str]) -> None:
    """Builds."""
    args = parser().parse_args(argv)
    source = args.source or os.environ.get("MLC_LLM_SOURCE_DIR")
    if not source:
        raise UserError(
            f"{args.where}: no sources of mlc-llm; set attribute archive, or "
            "--action_env=MLC_LLM_SOURCE_DIR=..."
        )
    build(
        args.device,
        Path(source),
        args.model_archive,
        [(path, Path(output)) for path, output in args.file],
        args.log,
        os.environ,
        args.where,
        args.version,
        complete=args.complete,
    )


if __name__ == "__main__":
    cli.run(main)
