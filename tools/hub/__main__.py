"""Command line: ``python -m tools.hub lock|fetch|environment ...``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tools import cli
from tools.cli import UserError
from tools.hub import leftovers, settings, user_environment
from tools.hub.fetch import File, Source, fetch, load_sources, sources_beside
from tools.hub.lock import Model, load_models, lock


def parser() -> argparse.ArgumentParser:
    """Returns the parser of all commands."""
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
    environment = commands.add_parser(
        "environment", help="keep the user's variables for `fetch --environment-beside`"
    )
    environment.add_argument("--directory", required=True, metavar="DIR", help="where to")
    environment.set_defaults(function=_environment)
    return result


def _add_lock(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--model", help="HF://org/repo, the address of its page, or org/repo")
    which.add_argument(
        "--models",
        metavar="JSON",
        help="a list of objects with model, name, lock (below --root), revision, include, exclude",
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
        "--lock",
        default="mlc.lock.json",
        metavar="JSON",
        help="the lock; entries of other models stay (default: %(default)s)",
    )
    parser.add_argument("--name", help="the entry's name in the lock (default: the repository's)")
    parser.add_argument(
        "--root", default=".", metavar="DIR", help="where locks lie (default: this directory)"
    )
    parser.set_defaults(function=_lock)


def _add_fetch(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--repo", metavar="ORG/REPO")
    parser.add_argument("--commit", metavar="HEX", help="40 hexadecimal digits")
    parser.add_argument("--path", metavar="FILE", help="relative to the repository")
    parser.add_argument(
        "--sources",
        metavar="JSON",
        help="in place of these three: a list of objects with repo, commit and path",
    )
    parser.add_argument(
        "--sources-beside",
        metavar="FILE",
        help="the same, in sources/SHA256.json beside what FILE leads to",
    )
    parser.add_argument("--sha256", required=True, metavar="HEX", help="64 hexadecimal digits")
    parser.add_argument("--nbytes", required=True, type=int, metavar="N")
    parser.add_argument("--output", required=True, metavar="FILE")
    parser.add_argument("--digest", metavar="JSON", help="write nbytes and sha256 to this file")
    parser.add_argument(
        "--partial-dir",
        metavar="DIR",
        help="where a broken-off download waits for the next run (default: beside the output)",
    )
    parser.add_argument(
        "--partial-in-cache",
        action="store_true",
        help="that is rules_mlc/hub in the user's cache folder",
    )
    parser.add_argument(
        "--cache-dir",
        action="append",
        default=[],
        metavar="DIR",
        help="a directory with hf/ORG/REPO/FILE to look into, as MLC_LLM_READONLY_WEIGHT_CACHE",
    )
    beside = f"{user_environment.NAME} beside FILE, if it is there"
    parser.add_argument(
        "--environment-beside", metavar="FILE", help=f"take the user's variables from {beside}"
    )
    parser.add_argument(
        "--ask-again-beside", metavar="FILE", help=f"after a failure, have {beside}, made anew"
    )
    parser.set_defaults(function=_fetch)


def main(argv: list[str]) -> None:
    """Runs one command."""
    args = parser().parse_args(argv)
    args.function(args)


def _lock(args: argparse.Namespace) -> None:
    if args.models:
        models = load_models(args.models)
    else:
        models = [
            Model(args.model, args.revision, args.include, args.exclude, args.name, args.lock)
        ]
    for model in models:
        name, entry = lock(model, args.root, os.environ)
        nbytes = sum(file["nbytes"] for file in entry["files"])
        print(
            f"{model.lock}: {name} is {entry['repo']} at {entry['commit']}: "
            f"{len(entry['files'])} files, {nbytes / 1e6:.1f} MB",
            flush=True,
        )


def _environment(args: argparse.Namespace) -> None:
    again = user_environment.keep(Path(args.directory), os.environ)
    for directory in {again.parent, Path(settings.partial_dir(os.environ))}:
        leftovers.remove(directory)
    print(again)


def _fetch(args: argparse.Namespace) -> None:
    if args.environment_beside:
        user_environment.adopt(args.environment_beside)
    try:
        _fetch_file(args)
    except UserError:
        if args.ask_again_beside:
            user_environment.ask_again(args.ask_again_beside)
        raise


def _fetch_file(args: argparse.Namespace) -> None:
    if args.sources or args.sources_beside:
        sources = load_sources(args.sources or sources_beside(args.sources_beside, args.sha256))
    else:
        sources = [Source(args.repo or "", args.commit or "", args.path or "")]
    partial_dir = settings.partial_dir(os.environ) if args.partial_in_cache else args.partial_dir
    fetch(
        File(args.sha256, args.nbytes, sources),
        Path(args.output),
        os.environ,
        Path(partial_dir) if partial_dir else None,
        args.cache_dir,
    )
    if args.digest:
        cli.write_json(args.digest, {"nbytes": args.nbytes, "sha256": args.sha256})


if __name__ == "__main__":
    cli.run(main)
