"""Writes tests/data/abi of the small models: python -m tests.conformance.make_abi NAME ...

For CI, which has no upstream: what upstream's definition of each model exports. Upstream's
environment is named as for the comparison, see docs/upstream-compiler.md.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from tests.conformance.compared import Compared
from tests.conformance.environment import NotGivenError, given_environment
from tests.numeric.families import MODELS
from tools import cli

_DATA = Path(__file__).parents[1] / "data/abi"


def main(argv: list[str]) -> None:
    """Writes a file for each model."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.make_abi")
    parser.add_argument("names", nargs="+", choices=MODELS, metavar="NAME", help="a small model")
    parser.add_argument("--quantization", default="q4f16_1")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as directory:
        try:
            environment = given_environment(Path(directory))
        except NotGivenError as error:
            raise cli.UserError(str(error)) from error
        for name in args.names:
            model = Compared(name, args.quantization)
            found = {**model.chat_config(), **environment.interface(model)}
            path = _DATA / f"small_{name}-{args.quantization}.json"
            path.write_text(json.dumps(found, separators=(",", ":")) + "\n", encoding="utf-8")


if __name__ == "__main__":
    cli.run(main)
