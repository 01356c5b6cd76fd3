"""A compilation's bytes depend on its key and on nothing else."""

from __future__ import annotations

import pytest

from tests.unit.compiler.pairs import CHAT_CONFIGS, TWICE
from tools import config
from tools.compiler.families import FAMILIES


@pytest.mark.parametrize("pair", TWICE, ids="-".join)
def test_processes_and_directories(compiled, pair):
    """Two processes wrote the same library, metadata and log; see the fixture for what differed."""
    first, second = compiled(*pair).both
    for one, other, what in zip(first, second, ("library", "metadata", "log"), strict=True):
        assert one == other, what


def test_nothing_is_left_out():
    """Every family has a small model, which the numeric tests have, too; so has every device."""
    families, devices = zip(*TWICE, strict=True)
    assert set(families) == set(CHAT_CONFIGS) == set(config.families()) == set(FAMILIES)
    assert set(devices) == set(config.devices())
