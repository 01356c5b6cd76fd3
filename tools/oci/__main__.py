"""Command line: ``python -m tools.oci --manifest package-manifest.json --output DIR``."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from tools import cli
from tools.cli import UserError
from tools.oci.layout import write_layout


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    result = argparse.ArgumentParser(
        prog="python -m tools.oci",
        description="Writes a package as an OCI image layout with one ModelPack artifact.",
        fromfile_prefix_chars="@",
    )
    result.add_argument("--manifest", required=True, type=Path, metavar="FILE")
    result.add_argument(
        "--output", required=True, type=Path, metavar="DIR", help="a layout there is replaced"
    )
    result.add_argument("--name", required=True, help="the artifact's name")
    result.add_argument("--tag", default="latest", help="its reference in the layout's index")
    return result


def main(argv: list[str]) -> None:
    """Writes the layout, or nothing."""
    args = parser().parse_args(argv)
    _remove_layout(args.output)
    args.output.mkdir(parents=True, exist_ok=True)
    try:
        write_layout(args.manifest, args.output, args.name, args.tag)
    except BaseException:
        shutil.rmtree(args.output, ignore_errors=True)
        raise


def _remove_layout(directory: Path) -> None:
    """Removes an earlier layout; refuses a directory that holds anything else."""
    if not directory.is_dir() or not any(directory.iterdir()):
        return
    if not (directory / "oci-layout").is_file():
        raise UserError(f"--output {directory}: is no OCI layout to replace; give a new directory")
    shutil.rmtree(directory)


if __name__ == "__main__":
    cli.run(main)
