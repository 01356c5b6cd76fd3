"""What a build may change of a device's TVM target, and what an optimization level means for it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from tools.cli import UserError
from tools.config.registry import Device
from tools.config.schema import show
from tools.config.suggest import hint

_GPU = {
    "max_num_threads": "integer",
    "max_shared_memory_per_block": "integer",
    "max_threads_per_block": "integer",
    "thread_warp_size": "integer",
}
ATTRIBUTES = {
    "cuda": {
        **_GPU,
        "l2_cache_size_bytes": "integer",
        "registers_per_block": "integer",
    },
    "llvm": {
        "fast-math": "boolean",
        "mattr": "strings",
        "mcpu": "string",
        "mtriple": "string",
        "num-cores": "integer",
        "opt-level": "integer",
        "vector-width": "integer",
    },
    "metal": {**_GPU, "libs": "strings", "max_function_args": "integer"},
    "opencl": {
        **_GPU,
        "device": "string",
        "image_base_address_alignment": "integer",
        "max_function_args": "integer",
        "texture_depth_limit": "integer",
        "texture_spatial_limit": "integer",
    },
    "webgpu": {
        "max_num_threads": "integer",
        "max_shared_memory_per_block": "integer",
        "supports_subgroups": "boolean",
        "thread_warp_size": "integer",
    },
}
"""Kind of target to the attributes that may be overridden and their types; those of a GPU's host,
which are an ``llvm`` target's, are written ``host.<attribute>``."""

OPT_LEVELS = ("O0", "O1", "O2", "O3")

_HOST = "host."
_EXPECTED = {
    "boolean": "true or false",
    "integer": "an integer of at least 1",
    "string": "a string",
    "strings": "a list of strings",
}
_BOOLEANS = {"false": False, "true": True}
_NATIVE = "native"
_ARCHITECTURE = re.compile(r"[1-9][0-9]{1,2}[af]?\Z")


def check_overrides(given: Any, device: Device, where: str) -> dict[str, Any]:
    """Returns the overrides of a device's target that differ from what it has.

    Args:
        given: Attribute to value; numbers and booleans may be strings.
        device: The device.
        where: What errors call the place of ``given``.

    Raises:
        UserError: An attribute or a value that the target cannot have.
    """
    if not isinstance(given, dict):
        raise UserError(f"{where}: expected an object, got {show(given)}")
    kind = device.target["kind"]
    known = dict(ATTRIBUTES[kind])
    if "host" in device.target:
        known |= {f"{_HOST}{name}": kind for name, kind in ATTRIBUTES["llvm"].items()}
    result = {}
    for name, value in sorted(given.items()):
        if name not in known:
            raise UserError(f"{where}.{name}: {kind} has no such attribute; {hint(name, known)}")
        parsed = _parse(value, known[name])
        if parsed is None:
            raise UserError(f"{where}.{name}: expected {_EXPECTED[known[name]]}, got {show(value)}")
        if parsed == _NATIVE:
            raise UserError(
                f"{where}.{name}: native is the machine that builds, and a library has the same "
                "bytes on all; name the CPU, such as x86-64-v4"
            )
        if parsed != _current(device.target, name):
            result[name] = parsed
    return result


def check_architectures(given: Sequence[str], device: Device, where: str) -> tuple[str, ...]:
    """Returns the compute capabilities in their order, or none where the device is not CUDA's.

    Args:
        given: Such as ``("80", "90a")``.
        device: The device.
        where: What errors call the place of ``given``.
    """
    for name in given:
        if not _ARCHITECTURE.match(name):
            raise UserError(
                f"{where}: expected compute capabilities without a dot, such as 80 or 90a, "
                f"got {show(name)}"
            )
    if device.target["kind"] != "cuda":
        return ()
    return tuple(sorted(set(given), key=lambda name: (int(re.sub("[a-z]", "", name)), name)))


def with_overrides(
    target: dict[str, Any], overrides: dict[str, Any], architectures: Sequence[str]
) -> dict[str, Any]:
    """Returns a copy of a target with what the functions above returned.

    Code is generated for the lowest architecture, which the others can run.
    """
    result = {**target}
    for name, value in overrides.items():
        if name.startswith(_HOST):
            result["host"] = {**result["host"], name.removeprefix(_HOST): value}
        else:
            result[name] = value
    if architectures:
        result["arch"] = f"sm_{architectures[0]}"
    return result


def optimizations(opt: str, device: Device) -> tuple[str, ...]:
    """Returns what upstream's optimization level turns on for a device and this compiler has.

    That is CUDA graphs, from O2 on. Upstream's other flags choose libraries for CUDA (FlashInfer,
    cuBLAS, CUTLASS, FasterTransformer) that are not built in, and all-reduce over several GPUs.
    """
    if device.target["kind"] == "cuda" and opt in ("O2", "O3"):
        return ("cuda_graph",)
    return ()


def _parse(value: Any, kind: str) -> Any:
    if kind == "integer":
        number = int(value) if isinstance(value, str) and value.isdecimal() else value
        return number if type(number) is int and number > 0 else None
    if kind == "boolean":
        parsed = _BOOLEANS.get(value) if isinstance(value, str) else value
        return parsed if isinstance(parsed, bool) else None
    if kind == "string":
        return value if isinstance(value, str) and value else None
    is_list = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return value if is_list else None


def _current(target: dict[str, Any], name: str) -> Any:
    if name.startswith(_HOST):
        return target["host"].get(name.removeprefix(_HOST))
    return target.get(name)
