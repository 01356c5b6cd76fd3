"""Command line: ``python -m tools.package_config check|repository FILE ...``."""

from __future__ import annotations

import argparse
from pathlib import Path

from tools import cli, package_config
from tools.package_config import repository


def parser() -> argparse.ArgumentParser:
    """Returns the parser of the commands."""
    result = argparse.ArgumentParser(
        prog="python -m tools.package_config",
        description="Checks mlc-package-config.json, and says what it asks for, as JSON.",
        fromfile_prefix_chars="@",
    )
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser("check", help="the config with every default filled in")
    _add_file(check)
    check.set_defaults(function=_check)
    make = commands.add_parser("repository", help="a Bazel repository that packages the config")
    _add_file(make)
    make.add_argument(
        "--hub",
        action="append",
        default=[],
        nargs=2,
        metavar=("ORG/REPO", "NAME"),
        help="what Bazel calls a model of the Hub; repeatable",
    )
    make.add_argument(
        "--cached",
        action="append",
        default=[],
        nargs=2,
        metavar=("ORG/REPO", "DIR"),
        help="where a model of the Hub lies on this machine; repeatable",
    )
    make.add_argument(
        "--runtime",
        action="append",
        default=[],
        nargs=2,
        metavar=("DEVICE", "LABEL"),
        help="the mlc_runtime of a device; repeatable",
    )
    make.add_argument(
        "--runtime-from-source",
        metavar="VERSION",
        help="the TVM in the sources of upstream that the other devices get their runtime of",
    )
    make.add_argument(
        "--install-dir",
        required=True,
        metavar="DIR",
        help="where `bazel run` installs, relative to the workspace; of several packages, each "
        "has a directory of its own in it",
    )
    make.set_defaults(function=_repository)
    return result


def main(argv: list[str]) -> None:
    """Runs one command; the answer goes to stdout, warnings to stderr."""
    args = parser().parse_args(argv)
    loaded = package_config.load(
        args.file, name=args.name, directory=args.directory, strict=args.strict
    )
    for warning in loaded.warnings:
        cli.warn(warning)
    config = package_config.with_devices(loaded.config, args.device)
    print(cli.json_text(args.function(args, config), sort_keys=False), end="")


def _add_file(command: argparse.ArgumentParser) -> None:
    command.add_argument("file", metavar="FILE", help="the package config")
    command.add_argument("--name", help="what messages call the file (default: as it is given)")
    command.add_argument(
        "--directory", metavar="DIR", help="where relative paths begin (default: that of the file)"
    )
    command.add_argument(
        "--device", action="append", default=[], help="in place of the file's; repeatable"
    )
    command.add_argument("--strict", action="store_true", help="unknown keys are errors")


def _check(args: argparse.Namespace, config: package_config.PackageConfig) -> object:
    return config.to_json()


def _repository(args: argparse.Namespace, config: package_config.PackageConfig) -> object:
    runtimes = dict(args.runtime)
    for device in runtimes:
        if device not in config.devices:
            raise cli.UserError(
                f"runtimes: there is no package for {device}; expected {', '.join(config.devices)}"
            )
    cached = {repo: Path(directory) for repo, directory in args.cached}
    return repository.describe(
        config,
        {**dict(args.hub), **cached},
        runtimes,
        args.install_dir,
        args.runtime_from_source,
    )


if __name__ == "__main__":
    cli.run(main)
