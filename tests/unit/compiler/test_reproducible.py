"""A compilation's bytes depend on its key and on nothing else."""

from __future__ import annotations

import pytest

from tools import config


@pytest.mark.parametrize("device", config.devices())
def test_processes_and_directories(compiled, device):
    """Two processes wrote the same library, metadata and log; see the fixture for what differed."""
    first, second = compiled(device).both
    for one, other, what in zip(first, second, ("library", "metadata", "log"), strict=True):
        assert one == other, what
