"""The device's half of a library: the bytes that a device's runtime loads."""

from __future__ import annotations

import dataclasses
import json
import re
import struct
from collections.abc import Sequence

_WRITE_ACCESS = "paramWriteAccess:"
_TYPE_CODES = {0: "int", 1: "uint", 2: "float", 3: "handle"}


@dataclasses.dataclass(frozen=True)
class Kernel:
    """What a runtime knows of a kernel.

    Attributes:
        name: Its name, in the source too.
        arguments: ``handle`` for a buffer, else a dtype, for example ``int32``.
        launch: What the arguments after those are, in order: ``blockIdx.x``, ``threadIdx.y`` ...
        written: For each buffer, whether the kernel writes it; None where the code does not tell.
        source: A program that has the kernel.
    """

    name: str
    arguments: tuple[str, ...]
    launch: tuple[str, ...]
    written: tuple[bool, ...] | None
    source: str


def read_opencl(code: bytes) -> dict[str, Kernel]:
    """Returns the kernels of a serialized OpenCL module by name."""
    reader = _Reader(code)
    assert reader.text() == "cl"
    functions = reader.functions()
    parts = re.split(r"^// Function: (\w+)\n", reader.text(), flags=re.MULTILINE)
    return _kernels(functions, dict(zip(parts[1::2], parts[2::2], strict=True)))


def read_webgpu(code: bytes) -> dict[str, Kernel]:
    """Returns the kernels of a serialized WebGPU module by name."""
    reader = _Reader(code)
    functions = reader.functions()
    return _kernels(functions, {reader.text(): reader.text() for _ in range(reader.number())})


def _kernels(functions: dict[str, tuple], sources: dict[str, str]) -> dict[str, Kernel]:
    assert functions.keys() == sources.keys()
    kernels = {}
    for name, (arguments, tags) in functions.items():
        launch = tuple(tag for tag in tags if not tag.startswith(_WRITE_ACCESS))
        access = [tag.removeprefix(_WRITE_ACCESS) for tag in tags if tag not in launch]
        written = tuple(map(bool, json.loads(access[0]))) if access else None
        kernels[name] = Kernel(name, tuple(arguments), launch, written, sources[name])
    return kernels


class _Reader:
    """Reads TVM's serialized form: little-endian, every length 64 bits."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0

    def _take(self, format_: str) -> tuple:
        values = struct.unpack_from(format_, self.data, self.position)
        self.position += struct.calcsize(format_)
        return values

    def number(self) -> int:
        return self._take("<Q")[0]

    def text(self) -> str:
        return self._take(f"<{self.number()}s")[0].decode()

    def functions(self) -> dict[str, tuple[list[str], list[str]]]:
        """Reads name to dtypes of the arguments and tags of the launch's parameters."""
        functions = {}
        for _ in range(self.number()):
            name = self.text()
            self.text()
            arguments = []
            for _ in range(self.number()):
                code, bits, _lanes = self._take("<BBH")
                kind = _TYPE_CODES[code]
                arguments.append(kind if kind == "handle" else f"{kind}{bits}")
            tags = [self.text() for _ in range(self.number())]
            self._take(f"<{self.number()}i")
            functions[name] = arguments, tags
        return functions


def grid(kernel: Kernel, extents: Sequence[int]) -> tuple[list[int], list[int]]:
    """Returns the numbers of blocks and of threads of a block, each for the axes x, y and z."""
    given = dict(zip(kernel.launch, extents, strict=True))
    return tuple([given.get(f"{i}.{axis}", 1) for axis in "xyz"] for i in ("blockIdx", "threadIdx"))
