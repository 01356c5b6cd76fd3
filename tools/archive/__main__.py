"""Command line: ``python -m tools.archive --object elf --output LIB.a --library KEY LIB.tar``."""

from __future__ import annotations

import argparse

from tools import cli

PRELOAD = ["tools.archive.archive"]
"""What a persistent worker loads before the first request."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(
        prog="python -m tools.archive",
        description="Puts model libraries into one static archive.",
        fromfile_prefix_chars="@",
    )
    result.add_argument("--object", required=True, choices=["elf", "macho"])
    result.add_argument(
        "--symbol-suffix",
        default="__tvm_ffi__library_bin",
        metavar="NAME",
        help="what follows <model_lib>_ in a library's symbol (default: %(default)s)",
    )
    result.add_argument("--output", required=True, metavar="LIB.a")
    result.add_argument(
        "--library",
        action="append",
        nargs=2,
        required=True,
        metavar=("KEY.json", "LIB.tar"),
        help="a library and its compile key; repeatable",
    )
    return result


def main(argv: list[str]) -> None:
    """Writes the archive."""
    from tools.archive.archive import write_archive

    args = parser().parse_args(argv)
    write_archive(args.output, args.object, args.symbol_suffix, args.library)


if __name__ == "__main__":
    cli.run(main)
