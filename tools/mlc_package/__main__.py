"""Command line: ``mlc-package [--package-config FILE] [-o DIR]``."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

if not __package__:
    # Run by path, from any folder: the repository's root stands in for the current folder.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tools import cli
from tools.cli import UserError
from tools.mlc_package import command, runtime, settings
from tools.mlc_package.runtime import Sources
from tools.mlc_package.workspace import Workspace

# The folder of rules_mlc.
_RULES = Path(__file__).resolve().parents[2]


def parser() -> argparse.ArgumentParser:
    """Returns the parser; the first three options are those of `mlc_llm package`."""
    result = argparse.ArgumentParser(
        prog="mlc-package",
        description="Packages the models of an mlc-package-config.json for an app.",
        epilog="MLC_LLM_HOME, MLC_JIT_POLICY, MLC_DOWNLOAD_CACHE_POLICY and "
        "MLC_LLM_READONLY_WEIGHT_CACHE mean what they mean to mlc_llm.",
    )
    result.add_argument(
        "--package-config",
        default="mlc-package-config.json",
        metavar="FILE",
        help="default: %(default)s",
    )
    result.add_argument(
        "--mlc-llm-source-dir",
        metavar="DIR",
        default=os.environ.get("MLC_LLM_SOURCE_DIR"),
        help="build the runtime of these sources, too (default: $MLC_LLM_SOURCE_DIR)",
    )
    result.add_argument(
        "--output", "-o", default="dist", metavar="DIR", help="default: %(default)s"
    )
    result.add_argument(
        "--device",
        action="append",
        default=[],
        help="in place of the file's; of several, each is installed into a folder of its own",
    )
    result.add_argument("--strict", action="store_true", help="unknown keys are errors")
    return result


def main(argv: list[str]) -> int:
    """Builds the package and installs it; returns the exit status."""
    args = parser().parse_args(argv)
    # Where `bazel run` was called, if it was.
    here = Path(os.environ.get("BUILD_WORKING_DIRECTORY") or os.getcwd())
    config = Path(os.path.abspath(here / args.package_config))
    if not config.is_file():
        raise UserError(
            f"--package-config {args.package_config}: there is no such file; expected an "
            "mlc-package-config.json"
        )
    output = Path(os.path.abspath(here / args.output))
    problem = cli.folder_problem(output)
    if problem:  # Before the build instead of after it.
        raise UserError(f"--output {args.output}: {problem}")
    chosen = settings.read(os.environ)
    sources = None
    if args.mlc_llm_source_dir:
        directory = Path(os.path.abspath(here / args.mlc_llm_source_dir))
        sources = Sources.check(directory, runtime.devices(config, args.device, chosen), os.environ)
    workspace = Workspace(chosen.home / "rules_mlc", _RULES, config)
    request = command.Request(
        config=config,
        shown=args.package_config,
        output=output,
        devices=args.device,
        strict=args.strict,
        sources=sources,
    )
    with workspace.held():
        return command.package(workspace, chosen, request)


if __name__ == "__main__":
    cli.run(main)
