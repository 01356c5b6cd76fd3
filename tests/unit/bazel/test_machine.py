"""Protects the list of machines that the private Bazel exists for."""

from __future__ import annotations

import pytest

from tools.bazel.errors import LauncherError
from tools.bazel.machine import this_machine


@pytest.mark.parametrize(("name", "debian"), [("x86_64", "amd64"), ("aarch64", "arm64")])
def test_supported_machines(name, debian):
    assert this_machine("Linux", name).debian == debian


@pytest.mark.parametrize(("system", "name"), [("Linux", "riscv64"), ("Darwin", "arm64")])
def test_other_machines_are_one_clear_line(system, name):
    with pytest.raises(
        LauncherError, match=f"^unsupported machine: {system} on {name}; .*MLC_BAZEL"
    ):
        this_machine(system, name)
