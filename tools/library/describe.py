"""What is written of a library that another compiler made: the same as of one compiled here."""

from __future__ import annotations

from typing import Any

from tools.config import CompileKey, Device
from tools.library.accept import Accepted


def describe(
    key: CompileKey,
    device: Device,
    accepted: Accepted,
    memory: dict[str, int],
    versions: dict[str, str],
) -> dict[str, Any]:
    """Returns the contents of a library's metadata file."""
    return {
        "model_lib": key.model_lib,
        "device": device.name,
        "library": {
            "format": device.library,
            "object": device.object,
            "symbol": accepted.symbol,
            "device_code": accepted.device_code,
        },
        "metadata": accepted.metadata,
        "memory": memory,
        "versions": versions,
    }
