"""Fixtures: the given environment, and those of the numeric tests."""

from __future__ import annotations

import pytest

from tests.conformance.environment import Environment, NotGivenError, given_environment
from tests.numeric.conftest import cpu_device, linker

__all__ = ["cpu_device", "linker"]


@pytest.fixture(scope="session")
def environment(tmp_path_factory) -> Environment:
    """Upstream's compiler; without one the run ends with a line that says how to name it."""
    try:
        return given_environment(tmp_path_factory.mktemp("upstream"))
    except NotGivenError as error:
        pytest.exit(str(error), returncode=1)
