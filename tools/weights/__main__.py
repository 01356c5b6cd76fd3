"""Command line: ``python -m tools.weights digest|check|bundle ...``."""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

from tools import cli
from tools.config import strict_json
from tools.weights import check
from tools.weights.bundle import bundle
from tools.weights.digest import digest


def parser() -> argparse.ArgumentParser:
    """Returns the parser of both commands."""
    result = argparse.ArgumentParser(
        prog="python -m tools.weights",
        description="Hashes files of a bundle of weights, checks the whole of it, and makes it.",
        fromfile_prefix_chars="@",
    )
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    one = commands.add_parser("digest", help="size, md5 and sha256 of one file")
    one.add_argument("file", metavar="FILE")
    one.add_argument("--output", required=True, metavar="JSON")
    one.set_defaults(function=_digest)
    all_ = commands.add_parser("check", help="every file against tensor-cache.json")
    all_.add_argument("--where", required=True, help="the target that errors name")
    all_.add_argument("--chat-config", required=True, metavar="FILE")
    all_.add_argument("--tensor-cache", required=True, metavar="FILE")
    all_.add_argument(
        "--tensor-cache-name",
        default=check.TENSOR_CACHE,
        choices=[check.TENSOR_CACHE, check.OLD_TENSOR_CACHE],
        help="its name among the files (default: %(default)s)",
    )
    all_.add_argument(
        "--digest",
        nargs=2,
        action="append",
        default=[],
        metavar=("NAME", "JSON"),
        help="for each file of the bundle its name there, and what `digest` wrote",
    )
    all_.add_argument(
        "--digests",
        action="append",
        default=[],
        metavar="JSON",
        help="the same of several files, by their names",
    )
    all_.add_argument("--output", required=True, metavar="JSON")
    all_.set_defaults(function=_check)
    made = commands.add_parser("bundle", help="a directory of links to files elsewhere")
    made.add_argument("--tree", required=True, type=Path, metavar="DIR")
    made.add_argument(
        "--file", nargs=2, action="append", default=[], metavar=("NAME", "FILE"), help="one more"
    )
    made.add_argument("--output", required=True, type=Path, metavar="DIR")
    made.set_defaults(function=_bundle)
    return result


def main(argv: list[str]) -> None:
    """Runs one command."""
    args = parser().parse_args(argv)
    args.function(args)


def _digest(args: argparse.Namespace) -> None:
    cli.write_json(args.output, digest(args.file))


def _check(args: argparse.Namespace) -> None:
    manifest = check.check(
        args.where,
        _read(args.where, check.CHAT_CONFIG, args.chat_config),
        _read(args.where, args.tensor_cache_name, args.tensor_cache),
        args.tensor_cache_name,
        itertools.chain(
            ((name, strict_json.load(path)) for name, path in args.digest),
            *(strict_json.load(path).items() for path in args.digests),
        ),
    )
    cli.write_json(args.output, manifest)


def _bundle(args: argparse.Namespace) -> None:
    bundle(args.tree, dict(args.file), args.output)


def _read(where: str, name: str, path: str) -> object:
    return strict_json.loads(Path(path).read_bytes(), f"{where}: {name}")


if __name__ == "__main__":
    cli.run(main)
