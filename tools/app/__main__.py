"""Command line: ``python -m tools.app files|push ...``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools import cli

PRELOAD = [
    "tools.app.constants",
    "tools.app.xcode",
    "tools.package.app_config",
    "tools.weights.digest",
]
"""What a persistent worker loads before the first request."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the commands."""
    result = argparse.ArgumentParser(
        prog="python -m tools.app",
        description="Serves the app that a package is for.",
        fromfile_prefix_chars="@",
    )
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    _add_files(commands.add_parser("files", help="settings and constants for the app's sources"))
    _add_push(commands.add_parser("push", help="bundled models onto an Android device"))
    return result


def main(argv: list[str]) -> None:
    """Runs one command."""
    args = parser().parse_args(argv)
    args.function(args)


def _add_files(command: argparse.ArgumentParser) -> None:
    command.add_argument("--where", required=True, help="the package's target")
    command.add_argument(
        "--model",
        action="append",
        nargs=2,
        required=True,
        metavar=("ENTRY.json", "KEY.json"),
        help="a model and its library's compile key; repeatable",
    )
    command.add_argument(
        "--symbol-suffix",
        default="__tvm_ffi__library_bin",
        metavar="NAME",
        help="what follows <model_lib>_ in a library's symbol (default: %(default)s)",
    )
    command.add_argument("--archive", metavar="LIB.a", help="the libraries, for --exported-symbols")
    command.add_argument(
        "--link",
        action="append",
        default=[],
        metavar="lib*.a",
        help="a library to link; repeatable",
    )
    command.add_argument("--swift", metavar="OUT")
    command.add_argument("--kotlin", metavar="OUT")
    command.add_argument("--xcconfig", metavar="OUT")
    command.add_argument("--exported-symbols", metavar="OUT")
    command.add_argument("--directory", default="app", help="the files' directory in the package")
    command.add_argument("--listing", required=True, metavar="OUT", help="their sizes and digests")
    command.set_defaults(function=_files)


def _files(args: argparse.Namespace) -> None:
    from tools.app import constants
    from tools.config import load_key, strict_json
    from tools.package.app_config import parse_entry
    from tools.weights.digest import digest

    models = [
        (parse_entry(strict_json.load(entry)).model_id, load_key(key, any_model=True).model_lib)
        for entry, key in args.model
    ]
    texts = {}
    if args.swift:
        texts[args.swift] = constants.swift(models, args.where)
    if args.kotlin:
        texts[args.kotlin] = constants.kotlin(models, args.where)
    if args.xcconfig or args.exported_symbols:
        texts |= _xcode_files(args, [lib for _, lib in models])
    listing = []
    for path, text in texts.items():
        cli.write_text(path, text)
        found = digest(path)
        listing.append(
            {
                "path": f"{args.directory}/{Path(path).name}",
                "nbytes": found["nbytes"],
                "sha256": found["sha256"],
            }
        )
    cli.write_json(args.listing, listing)


def _xcode_files(args: argparse.Namespace, libraries: list[str]) -> dict[str, str]:
    # Imported here: it loads LIEF, which takes longer than all that Android needs.
    from tools.app import xcode

    texts = {}
    if args.xcconfig:
        entries = list(dict.fromkeys(f"{lib}_{args.symbol_suffix}" for lib in libraries))
        texts[args.xcconfig] = xcode.xcconfig(args.where, entries, args.link)
    if args.exported_symbols:
        texts[args.exported_symbols] = xcode.exported_symbols(args.archive)
    return texts


def _add_push(command: argparse.ArgumentParser) -> None:
    command.add_argument("--manifest", required=True, type=Path, metavar="FILE")
    command.add_argument(
        "--root", required=True, type=Path, metavar="DIR", help="where the manifest's files are"
    )
    command.add_argument("--application-id", required=True, metavar="ID", help="the app's")
    command.add_argument("--serial", help="which device, as `adb devices` names it")
    command.add_argument("--adb", default="adb", metavar="PROGRAM", help="default: on PATH")
    command.add_argument("--dry-run", action="store_true", help="only say what would be pushed")
    command.set_defaults(function=_push)


def _push(args: argparse.Namespace) -> None:
    from tools.app import push
    from tools.app.adb import Device
    from tools.hub.progress import Progress

    files = push.bundled_files(args.manifest, args.root)
    device = Device(args.adb, args.serial)
    directory = push.app_directory(args.application_id)
    todo = push.outdated(device, directory, files)
    nbytes = sum(file.nbytes for file in todo)
    if args.dry_run:
        for file in todo:
            print(f"would push {file.path}")
    else:
        with Progress("pushing", len(todo)) as progress:
            push.push(device, directory, todo, progress.advance)
    what = "to push" if args.dry_run else "pushed"
    print(
        f"{directory}: {len(files)} files: {len(todo)} {what} ({nbytes / 1e6:.1f} MB), "
        f"{len(files) - len(todo)} up to date"
    )


if __name__ == "__main__":
    cli.run(main)
