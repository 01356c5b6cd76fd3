"""Command line: ``python -m tools.package check|assemble|install ...``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tools import cli

PRELOAD = ["tools.package.assemble"]
"""What a persistent worker loads before the first request."""


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the commands."""
    result = argparse.ArgumentParser(
        prog="python -m tools.package",
        description="Makes a package of models, and installs it.",
        fromfile_prefix_chars="@",
    )
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    _add_check(commands.add_parser("check", help="what can be refused before any compile"))
    _add_assemble(commands.add_parser("assemble", help="the app config and the manifest"))
    _add_install(commands.add_parser("install", help="the package's files into a directory"))
    return result


def main(argv: list[str]) -> None:
    """Runs one command."""
    args = parser().parse_args(argv)
    args.function(args)


def _add_check(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--model",
        action="append",
        nargs=2,
        required=True,
        metavar=("ENTRY.json", "KEY.json"),
        help="a model and its library's compile key; repeatable",
    )
    command.add_argument("--output", required=True, metavar="FILE", help="written when all is well")
    command.set_defaults(function=_check)


def _check(args: argparse.Namespace) -> None:
    from tools.config import load_key, strict_json
    from tools.package.app_config import parse_entry
    from tools.package.check import check_models

    check_models(
        [(parse_entry(strict_json.load(e)), load_key(k, any_model=True)) for e, k in args.model]
    )
    cli.write_text(args.output, "")


def _add_assemble(command: argparse.ArgumentParser) -> None:
    command.add_argument("--where", required=True, help="the target that errors name")
    command.add_argument("--device", required=True)
    command.add_argument(
        "--version",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a version of the toolchain, for the manifest; repeatable",
    )
    command.add_argument(
        "--model",
        action="append",
        nargs=4,
        required=True,
        metavar=("ENTRY.json", "KEY.json", "METADATA.json", "WEIGHTS.json"),
        help="a model; - in place of WEIGHTS.json for none; repeatable",
    )
    command.add_argument(
        "--file",
        action="append",
        nargs=2,
        default=[],
        metavar=("PATH", "FILE"),
        help="a further file of the package, at PATH in it; repeatable",
    )
    command.add_argument(
        "--listing",
        action="append",
        default=[],
        metavar="FILE.json",
        help="further files of the package, with sizes and digests; repeatable",
    )
    command.add_argument(
        "--library",
        action="append",
        nargs=3,
        default=[],
        metavar=("KEY.json", "PATH", "LIB"),
        help="a compiled library, and the file of the package that holds it; repeatable",
    )
    command.add_argument(
        "--app-config-path",
        action="append",
        metavar="PATH",
        help="where in the package the app config stands; repeatable "
        "(default: bundle/mlc-app-config.json)",
    )
    command.add_argument("--app-config", required=True, metavar="OUT")
    command.add_argument("--manifest", required=True, metavar="OUT")
    command.set_defaults(function=_assemble)


def _assemble(args: argparse.Namespace) -> None:
    from tools.config import strict_json
    from tools.package.assemble import APP_CONFIG_PATH, Model, assemble

    versions = {}
    for version in args.version:
        key, separator, value = version.partition("=")
        if not separator:
            raise cli.UserError(f"--version {version}: expected KEY=VALUE")
        versions[key] = value
    warnings = assemble(
        where=args.where,
        device_name=args.device,
        versions=versions,
        models=[Model.load(paths) for paths in args.model],
        files=args.file,
        listed=[entry for listing in args.listing for entry in strict_json.load(listing)],
        libraries=args.library,
        app_config_paths=args.app_config_path or [APP_CONFIG_PATH],
        app_config_output=args.app_config,
        manifest_output=args.manifest,
    )
    for warning in warnings:
        cli.warn(warning)


def _add_install(command: argparse.ArgumentParser) -> None:
    command.add_argument("--manifest", required=True, type=Path, metavar="FILE")
    command.add_argument(
        "--root", required=True, type=Path, metavar="DIR", help="where the manifest's files are"
    )
    command.add_argument("--name", required=True, help="the package's name, for its record")
    command.add_argument("--output", required=True, metavar="DIST")
    command.add_argument("--dry-run", action="store_true", help="only say what would change")
    command.set_defaults(function=_install)


def _install(args: argparse.Namespace) -> None:
    from tools.package.install import install

    if not args.output:
        raise cli.UserError("--output: is empty; expected the folder to install into")
    report = print if args.dry_run else lambda line: None
    dist = Path(args.output)
    summary = install(args.manifest, args.root, args.name, dist, args.dry_run, report)
    relative = os.path.relpath(dist)
    shown = str(dist) if relative.startswith("..") else relative
    print(f"{shown}: {summary.text()}{' (dry run)' if args.dry_run else ''}")


if __name__ == "__main__":
    cli.run(main)
