"""Command line: ``python -m tools.migrate mlc-package-config.json``."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from tools import cli, package_config
from tools.cli import UserError
from tools.migrate.text import build_file, module_file
from tools.migrate.workspace import Workspace, root_of


def parser() -> argparse.ArgumentParser:
    """Returns the parser."""
    result = argparse.ArgumentParser(
        prog="migrate",
        description="Writes BUILD.bazel beside an mlc-package-config.json, and MODULE.bazel where "
        "the workspace has none; otherwise it prints the lines that MODULE.bazel needs.",
    )
    result.add_argument("file", metavar="FILE", help="the mlc-package-config.json")
    result.add_argument("--strict", action="store_true", help="unknown keys are errors")
    result.add_argument("--print", action="store_true", help="print both, write nothing")
    return result


def main(argv: list[str]) -> None:
    """Writes the files."""
    args = parser().parse_args(argv)
    path = Path(os.environ.get("BUILD_WORKING_DIRECTORY", ""), args.file)
    loaded = package_config.load(path, name=args.file, strict=args.strict)
    for warning in loaded.warnings:
        cli.warn(warning)
    package = Path(os.path.abspath(path)).parent
    root = root_of(package)
    workspace = Workspace(package, root)
    references, libraries = workspace.models(loaded.config), workspace.libraries(loaded.config)
    place = package.relative_to(root).as_posix()
    build = build_file(loaded.config, references, libraries, place)
    module = module_file(workspace.repositories, place)
    if args.print:
        print(f"# BUILD.bazel\n{build}\n# MODULE.bazel\n{module}", end="")
        return
    for name in ("BUILD.bazel", "BUILD"):
        if (package / name).exists():
            raise UserError(
                f"{package / name}: is there already; see with --print what belongs into it"
            )
    cli.write_text(package / "BUILD.bazel", build)
    print(f"wrote {package / 'BUILD.bazel'}")
    if (root / "MODULE.bazel").exists():
        print(f"{root / 'MODULE.bazel'} needs these lines:\n\n{module}", end="")
    else:
        cli.write_text(root / "MODULE.bazel", module)
        print(f"wrote {root / 'MODULE.bazel'}")


if __name__ == "__main__":
    cli.run(main)
