"""Small libraries of families: ``family_digests.py DEVICE MODEL_TYPE...`` prints their digests."""

from __future__ import annotations

import hashlib
import json
import sys

from tests.numeric.families import MODELS
from tools import config
from tools.compiler.build import BuiltLibrary, build_library
from tools.compiler.progress import Progress

SMALL = {small.model_type: small for small in MODELS.values()}
"""One model of each family."""


def small_library(model_type: str, device: str) -> BuiltLibrary:
    """Compiles a family's small model in q4f16_1."""
    key = config.build_key(SMALL[model_type].chat_config("q4f16_1"), device, model_lib="small")
    return build_library(key, system_library=True, progress=Progress(False))


def digests(library: BuiltLibrary) -> dict[str, str]:
    """Returns the sha256 of each object by its name."""
    return {
        name: hashlib.sha256(contents).hexdigest() for name, contents in library.objects.items()
    }


def main(device: str, *model_types: str) -> None:
    """Compiles one after the other in this process; prints an object of their digests."""
    built = {name: digests(small_library(name, device)) for name in model_types}
    print(json.dumps(built))


if __name__ == "__main__":
    main(*sys.argv[1:])
