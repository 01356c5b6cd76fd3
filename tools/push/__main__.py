"""Command line: ``python -m tools.push --manifest FILE --root DIR --application-id ID``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools import cli


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the command."""
    result = argparse.ArgumentParser(
        prog="python -m tools.push",
        description="Puts the bundled models of a package onto an Android device.",
    )
    result.add_argument("--manifest", required=True, type=Path, metavar="FILE")
    result.add_argument(
        "--root", required=True, type=Path, metavar="DIR", help="where the manifest's files are"
    )
    result.add_argument("--application-id", required=True, metavar="ID", help="the app's")
    result.add_argument("--serial", help="which device, as `adb devices` names it")
    result.add_argument("--adb", default="adb", metavar="PROGRAM", help="default: on PATH")
    result.add_argument("--dry-run", action="store_true", help="only say what would be pushed")
    return result


def main(argv: list[str]) -> None:
    """Pushes what the device lacks."""
    from tools.hub.progress import Progress
    from tools.push import push
    from tools.push.adb import Device

    args = parser().parse_args(argv)
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
