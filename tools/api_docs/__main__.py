"""Command line: ``python -m tools.api_docs --output docs/api FILE.textproto ...``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tools import cli
from tools.api_docs import markdown, text_proto


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    result = argparse.ArgumentParser(
        prog="python -m tools.api_docs",
        description="Writes a page of Markdown for each .bzl file.",
    )
    result.add_argument(
        "extracts",
        nargs="+",
        type=Path,
        metavar="FILE.textproto",
        help="what starlark_doc_extract wrote; the page is called FILE.md",
    )
    result.add_argument(
        "--output", required=True, metavar="DIR", help="relative to the workspace of `bazel run`"
    )
    return result


def main(argv: list[str]) -> None:
    """Writes the pages."""
    args = parser().parse_args(argv)
    folder = Path(os.environ.get("BUILD_WORKSPACE_DIRECTORY", ""), args.output)
    for extract in args.extracts:
        module = text_proto.parse(extract.read_text(encoding="utf-8"))
        cli.write_text(folder / f"{extract.stem}.md", markdown.page(module))


if __name__ == "__main__":
    cli.run(main)
