"""Compiles every compile key of the folder it runs in; tests/unit/compiler/conftest.py runs it."""

from __future__ import annotations

import sys
from pathlib import Path

from tools import config
from tools.compiler.compile import compile_library

for path in sorted(Path().glob("*.key.json"), reverse=sys.argv[1] == "reverse"):
    name = path.name.removesuffix(".key.json")
    outputs = [Path(f"{name}.{suffix}") for suffix in ("tar", "metadata.json", "log")]
    compile_library(config.load_key(path), *outputs)
