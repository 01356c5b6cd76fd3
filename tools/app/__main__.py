"""Command line: ``python -m tools.app --listing OUT --model ENTRY KEY [--kotlin OUT] ...``."""

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
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(
        prog="python -m tools.app",
        description="Writes settings and constants for the sources of an app.",
        fromfile_prefix_chars="@",
    )
    result.add_argument("--where", required=True, help="the package's target")
    result.add_argument(
        "--model",
        action="append",
        nargs=2,
        required=True,
        metavar=("ENTRY.json", "KEY.json"),
        help="a model and its library's compile key; repeatable",
    )
    result.add_argument(
        "--symbol-suffix",
        default="__tvm_ffi__library_bin",
        metavar="NAME",
        help="what follows <model_lib>_ in a library's symbol (default: %(default)s)",
    )
    result.add_argument("--archive", metavar="LIB.a", help="the libraries, for --exported-symbols")
    result.add_argument(
        "--link",
        action="append",
        default=[],
        metavar="lib*.a",
        help="a library to link; repeatable",
    )
    result.add_argument("--swift", metavar="OUT")
    result.add_argument("--kotlin", metavar="OUT")
    result.add_argument("--xcconfig", metavar="OUT")
    result.add_argument("--exported-symbols", metavar="OUT")
    result.add_argument("--directory", default="app", help="the files' directory in the package")
    result.add_argument("--listing", required=True, metavar="OUT", help="their sizes and digests")
    return result


def main(argv: list[str]) -> None:
    """Writes the files."""
    from tools.app import constants
    from tools.config import load_key, strict_json
    from tools.package.app_config import parse_entry
    from tools.weights.digest import digest

    args = parser().parse_args(argv)
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


if __name__ == "__main__":
    cli.run(main)
