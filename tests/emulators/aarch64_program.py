"""Runs a conversation under qemu: ``aarch64_program.py LIBRARY INPUTS RESULTS``.

INPUTS has the prompt and, by their numbers, the weights; RESULTS gets what the conversation gives.
"""

from __future__ import annotations

import platform
import sys

import numpy as np
import tvm

from tests.emulators.conversation import converse
from tests.numeric.session import Session


def main(library: str, inputs: str, results: str) -> None:
    """Loads, runs, writes."""
    assert platform.machine() == "aarch64"
    session = Session(tvm.runtime.load_module(library))
    arrays = np.load(inputs)
    session.set_weights([arrays[str(i)] for i in range(len(session.metadata["params"]))])
    np.savez(results, **converse(session, arrays["prompt"]))


if __name__ == "__main__":
    main(*sys.argv[1:])
