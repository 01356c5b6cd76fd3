"""Every device has a target, and none takes anything from the machine that compiles."""

from __future__ import annotations

import pytest
from tvm.target import Target, TargetKind

from tools import config
from tools.config.target import ATTRIBUTES


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


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_attributes_that_may_be_overridden_are_tvms(kind):
    """With TVM's types, so that a value that the config accepts is one that TVM takes."""
    types = {"integer": "int", "boolean": "bool", "string": "str", "strings": "Array<str>"}
    known = TargetKind.options_from_name(kind)
    for name, type_ in ATTRIBUTES[kind].items():
        assert known[name] == types[type_], name
