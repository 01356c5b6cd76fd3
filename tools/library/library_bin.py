"""The data that TVM puts into a library: its modules, and the metadata of a chat model.

The layout, with every number a little-endian u64: the length of what follows; the tree of imports
as two vectors (a count, then numbers); for each module its kind as a string (a length, then bytes)
and, but for ``_lib``, its bytes as a string.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from typing import Any

from tools.cli import UserError

_HOST_CODE = "_lib"
_BYTECODE = "relax.VMExecutable"

# Kinds of modules that hold kernels for a device.
_KERNELS = ("cuda", "hip", "metal", "opencl", "rocm", "vulkan", "webgpu")

# Formats of kernels that the device's driver compiles at load.
_SOURCES = ("cl", "metal", "cuda", "hip", "wgsl")

_METADATA = b'{"model_type"'


@dataclasses.dataclass(frozen=True)
class LibraryBin:
    """What a library holds besides host code.

    Attributes:
        kernels: Kind of the device to the form of its kernels, ``source`` or ``binary``.
        metadata: What the function ``_metadata`` returns, parsed; None where there is none.
    """

    kernels: dict[str, str]
    metadata: dict[str, Any] | None

    @property
    def device_code(self) -> str:
        """Returns ``native``, or as ``opencl-source``."""
        found = [f"{kind}-{form}" for kind, form in sorted(self.kernels.items())]
        return "+".join(found) or "native"


def parse(data: bytes, where: str) -> LibraryBin:
    """Returns what is in a library's data.

    Args:
        data: The bytes at the library's symbol; more may follow.
        where: What errors call the library.

    Raises:
        UserError: The data does not have TVM's layout.
    """
    try:
        modules = _modules(data)
        kernels = {
            kind: "source" if _string(body, 0)[0].decode("latin-1") in _SOURCES else "binary"
            for kind, body in modules.items()
            if kind in _KERNELS
        }
        return LibraryBin(kernels, _metadata(modules.get(_BYTECODE, b"")))
    except (struct.error, IndexError, ValueError):
        raise UserError(
            f"{where}: its data is damaged, or laid out by another TVM; compile it again"
        ) from None


def whole(data: bytes) -> bytes:
    """Returns a library's data without what follows it in the object."""
    (size,) = struct.unpack_from("<Q", data, 0)
    return data[: 8 + size]


def _modules(data: bytes) -> dict[str, bytes]:
    (size,) = struct.unpack_from("<Q", data, 0)
    if size > len(data) - 8:
        raise ValueError("cut off")
    count, position = _vector_length(data, 8)
    _, position = _vector_length(data, position)
    modules = {}
    for _ in range(count - 1):
        kind, position = _string(data, position)
        name = kind.decode("utf-8")
        modules[name] = b""
        if name != _HOST_CODE:
            modules[name], position = _string(data, position)
    return modules


def _vector_length(data: bytes, position: int) -> tuple[int, int]:
    """Returns how many numbers the vector at ``position`` has, and where it ends."""
    (count,) = struct.unpack_from("<Q", data, position)
    end = position + 8 + 8 * count
    if end > len(data):
        raise ValueError("cut off")
    return count, end


def _string(data: bytes, position: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from("<Q", data, position)
    start = position + 8
    if start + size > len(data):
        raise ValueError("cut off")
    return data[start : start + size], start + size


def _metadata(bytecode: bytes) -> dict[str, Any] | None:
    """Returns the metadata, a string constant of the bytecode whose length stands before it."""
    start = bytecode.find(_METADATA)
    if start < 8:
        return None
    return json.loads(_string(bytecode, start - 8)[0])
