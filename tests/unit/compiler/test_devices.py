"""Every device has a target, and none takes anything from the machine that compiles."""

from __future__ import annotations

import pytest
from tvm.target import Target

from tools import config


@pytest.mark.parametrize("name", config.devices())
def test_target_is_complete(name):
    """The host's triple is given; so is the CPU, where code for it is all there is."""
    device = config.device(name)
    target = Target(device.target)
    host = device.target.get("host", device.target)
    assert host["kind"] == "llvm"
    assert host["mtriple"]
    if "host" not in device.target:
        assert host.get("mcpu") or host.get("mattr")
    assert target.kind.name == device.target["kind"]
