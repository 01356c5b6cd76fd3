"""Fixtures of the numeric tests."""

from tests.numeric.conftest import cpu_device, linker

__all__ = ["cpu_device", "linker"]
