"""The Python part of ``./bazelw``, which calls it by its path; ``lock`` is run by hand."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

if not __package__:
    # Run by path, from any folder: the repository's root stands in for the current folder.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from tools.bazel import lock, selection, truststore
from tools.bazel.errors import EXIT_STATUS, LauncherError
from tools.bazel.install import install


def main(argv: list[str]) -> None:
    """Runs one command (see ``--help``)."""
    parser = argparse.ArgumentParser(prog="python -m tools.bazel", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    command = commands.add_parser("install", help="install the private Bazel")
    command.add_argument("--cache", type=Path, required=True, help="the launcher's cache folder")
    command.add_argument("--name", required=True, help="name of the install's folder in it")

    command = commands.add_parser("probe", help="find out whether a Bazel on PATH can be used")
    command.add_argument("--program", required=True, help="path of the bazel or bazelisk")
    command.add_argument("--key", required=True, help="first line of the verdict")
    command.add_argument("--verdict", type=Path, required=True, help="file to write")
    command.add_argument("--bazelversion", type=Path, required=True, help=".bazelversion to use")

    command = commands.add_parser("trust", help="write a Java trust store")
    command.add_argument("--bundle", type=Path, required=True, help="certificates, PEM")
    command.add_argument("--output", type=Path, required=True, help="the trust store, JKS")

    commands.add_parser("lock", help="lock the current versions of the Debian packages")

    arguments = vars(parser.parse_args(argv))
    run = {
        "install": install,
        "probe": selection.probe,
        "trust": truststore.write,
        "lock": lock.update,
    }[arguments.pop("command")]
    run(**arguments)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except LauncherError as error:
        print(f"bazelw: error: {error}", file=sys.stderr)
        sys.exit(EXIT_STATUS)
    except OSError as error:
        print(f"bazelw: error: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        sys.exit(EXIT_STATUS)
    except KeyboardInterrupt:
        print("bazelw: interrupted; run again to go on", file=sys.stderr)
        os._exit(130)
