"""Digests of a stream are those of its bytes, however they come."""

from __future__ import annotations

import hashlib
import random

import pytest

from tools.hub.digests import Digests

DATA = random.Random(0).randbytes(1 << 20)


def expected(data):
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {"nbytes": len(data), "md5": md5, "sha256": hashlib.sha256(data).hexdigest()}


@pytest.mark.parametrize("size", [1000, 1 << 18, 1 << 20])
def test_pieces(size):
    digests = Digests()
    for start in range(0, len(DATA), size):
        digests.update(memoryview(DATA)[start : start + size])
    assert digests.result() == expected(DATA)
    digests.close()


def test_result_in_between():
    digests = Digests()
    assert digests.result() == expected(b"")
    digests.update(DATA[:1000])
    assert digests.result() == expected(DATA[:1000])
    digests.update(DATA[1000:])
    assert digests.result() == expected(DATA)
    digests.close()
