"""Computes logits with a library; runs in the environment of whichever TVM compiled it."""

from __future__ import annotations

import sys

import numpy as np
import tvm

from tests.numeric.session import Session

PREFILL = 20


def main(library: str, inputs: str, output: str) -> None:
    """Writes logits after a prefill and after each further token.

    Args:
        library: The shared library.
        inputs: An .npz with ``tokens``, and the weights as ``0``, ``1`` and so on.
        output: The .npy to write: ``(len(tokens) - PREFILL + 1, vocab_size)``.
    """
    given = np.load(inputs)
    session = Session(tvm.runtime.load_module(library))
    session.set_weights([given[str(i)] for i in range(len(session.metadata["params"]))])
    session.clear()
    session.add_sequence(0)
    tokens = given["tokens"].tolist()
    rows = [session.forward("prefill", {0: tokens[:PREFILL]})[0, 0]]
    for token in tokens[PREFILL:]:
        rows.append(session.forward("decode", {0: [token]})[0, 0])
    np.save(output, np.stack(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
