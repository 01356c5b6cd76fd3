"""Command line: ``python -m tools.oci --manifest package-manifest.json --output DIR``."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from tools import cli
from tools.oci.layout import write_layout


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    result = argparse.ArgumentParser(
        prog="python -m tools.oci",
        description="Writes a package as an OCI image layout with one ModelPack artifact.",
        fromfile_prefix_chars="@",
    )
    result.add_argument("--manifest", required=True, type=Path, metavar="FILE")
    result.add_argument("--output", required=True, type=Path, metavar="DIR", help="replaced")
    result.add_argument("--name", required=True, help="the artifact's name")
    result.add_argument("--tag", default="latest", help="its reference in the layout's index")
    return result


def main(argv: list[str]) -> None:
    """Writes the layout, or nothing."""
    args = parser().parse_args(argv)
    shutil.rmtree(args.output, ignore_errors=True)
    args.output.mkdir(parents=True)
    try:
        write_layout(args.manifest, args.output, args.name, args.tag)
    except BaseException:
        shutil.rmtree(args.output, ignore_errors=True)
        raise


if __name__ == "__main__":
    cli.run(main)
