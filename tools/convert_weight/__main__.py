"""Command line: ``python -m tools.convert_weight --parameters JSON --output DIR FILE...``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tools import cli
from tools.cli import UserError
from tools.config import strict_json
from tools.convert_weight import checkpoint
from tools.convert_weight.convert import convert
from tools.convert_weight.families import FAMILIES
from tools.weights.check import TENSOR_CACHE

# More would wait for memory.
_MOST_WORKERS = 8


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    result = argparse.ArgumentParser(
        prog="python -m tools.convert_weight",
        description="Converts a Hugging Face checkpoint to tensor-cache.json and shards.",
        epilog=f"model types: {', '.join(sorted(FAMILIES))}",
        fromfile_prefix_chars="@",
    )
    result.add_argument(
        "files", nargs="*", metavar="FILE", help="safetensors or PyTorch files, and their index"
    )
    result.add_argument(
        "--file",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "FILE"),
        help="a file that has another name where it is; repeatable",
    )
    result.add_argument(
        "--parameters", required=True, metavar="JSON", help="what `tools.compiler parameters` wrote"
    )
    result.add_argument(
        "--output", required=True, type=Path, metavar="DIR", help="an empty directory, or a new one"
    )
    result.add_argument(
        "--digests", metavar="JSON", help="size, md5 and sha256 by each file's name"
    )
    result.add_argument(
        "--tensor-cache", metavar="JSON", help="a second place for tensor-cache.json"
    )
    result.add_argument(
        "--workers",
        type=int,
        default=min(_MOST_WORKERS, os.cpu_count() or 1),
        metavar="N",
        help="threads; they do not change the output (default: one for each processor, up to 8)",
    )
    result.add_argument("--where", default="checkpoint", help="what errors call the checkpoint")
    return result


def main(argv: list[str]) -> None:
    """Converts."""
    args = parser().parse_args(argv)
    if args.workers < 1:
        raise UserError(f"--workers: expected at least 1, got {args.workers}")
    parameters = strict_json.load(args.parameters)
    files = {os.path.basename(path): path for path in args.files} | dict(args.file)
    tensors = checkpoint.read(files, args.where)
    digests = convert(parameters, tensors, args.output, args.workers, args.where)
    if args.digests:
        cli.write_json(args.digests, digests)
    if args.tensor_cache:
        cli.write_bytes(args.tensor_cache, (args.output / TENSOR_CACHE).read_bytes())


if __name__ == "__main__":
    cli.run(main)
