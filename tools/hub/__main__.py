"""Command line: ``python -m tools.hub lock|fetch ...``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tools import cli
from tools.hub import settings
from tools.hub.fetch import File, fetch
from tools.hub.lock import Model, lock
from tools.hub.model_name import DEFAULT_ENDPOINT


def parser() -> argparse.ArgumentParser:
    """Returns the parser of both commands."""
    result = argparse.ArgumentParser(
        prog="python -m tools.hub",
        description="Pins models of the Hugging Face Hub, and fetches their files.",
        epilog="The environment is that of huggingface_hub: HF_ENDPOINT, HF_TOKEN, HF_TOKEN_PATH, "
        "HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE, HF_HUB_DOWNLOAD_TIMEOUT.",
        fromfile_prefix_chars="@",
    )
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    _add_lock(commands.add_parser("lock", help="write a commit and a sha256 of every file"))
    _add_fetch(commands.add_parser("fetch", help="fetch one file of a lock, verified"))
    return result


def _add_lock(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", required=True, help="HF://org/repo, the address of its page, or org/repo"
    )
    parser.add_argument(
        "--revision", default="main", help="branch, tag or commit (default: %(default)s)"
    )
    parser.add_argument(
        "--include", action="append", default=[], metavar="GLOB", help="only files that match"
    )
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="no files that match"
    )
    parser.add_argument(
        "--lock", required=True, metavar="JSON", help="the lock; entries of other models stay"
    )
    parser.add_argument("--name", help="the entry's name in the lock (default: the repository's)")
    parser.set_defaults(function=_lock)


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--endpoint-from-env",
        action="store_true",
        help=f"ask HF_ENDPOINT, if it is set, in place of {DEFAULT_ENDPOINT}",
    )
    parser.add_argument("--repo", required=True, metavar="ORG/REPO")
    parser.add_argument("--commit", required=True, metavar="HEX", help="40 hexadecimal digits")
    parser.add_argument("--path", required=True, metavar="FILE", help="relative to the repository")
    parser.add_argument("--sha256", required=True, metavar="HEX", help="64 hexadecimal digits")
    parser.add_argument("--nbytes", required=True, type=int, metavar="N")
    parser.add_argument("--output", required=True, metavar="FILE")
    parser.add_argument(
        "--partial-dir",
        metavar="DIR",
        help="where a broken-off download waits for the next run (default: beside the output)",
    )
    parser.add_argument(
        "--cache-dir",
        action="append",
        default=[],
        metavar="DIR",
        help="a directory with hf/ORG/REPO/FILE to look into, as MLC_LLM_READONLY_WEIGHT_CACHE",
    )
    parser.set_defaults(function=_fetch)


def main(argv: list[str]) -> None:
    """Runs one command."""
    args = parser().parse_args(argv)
    args.function(args)


def _lock(args: argparse.Namespace) -> None:
    model = Model(args.model, args.revision, args.include, args.exclude, args.name)
    name, entry = lock(model, args.lock, os.environ)
    nbytes = sum(file["nbytes"] for file in entry["files"])
    print(
        f"{args.lock}: {name} is {entry['repo']} at {entry['commit']}: "
        f"{len(entry['files'])} files, {nbytes / 1e6:.1f} MB"
    )


def _fetch(args: argparse.Namespace) -> None:
    fetch(
        File(args.repo, args.commit, args.path, args.sha256, args.nbytes),
        Path(args.output),
        settings.endpoint(os.environ) if args.endpoint_from_env else DEFAULT_ENDPOINT,
        os.environ,
        Path(args.partial_dir) if args.partial_dir else None,
        args.cache_dir,
    )


if __name__ == "__main__":
    cli.run(main)
