"""Fixtures of the tests with real servers."""

from tests.integration.conftest import new_workspace

__all__ = ["new_workspace"]
