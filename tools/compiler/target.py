"""TVM targets of the devices."""

from __future__ import annotations

from tvm.target import Target

from tools import config


def device_target(device: config.Device) -> Target:
    """Returns the target whose code runs on `device`, with the host's target inside for a GPU.

    Nothing of it depends on the machine that compiles.
    """
    return Target(device.target)
