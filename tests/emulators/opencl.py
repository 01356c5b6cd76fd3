"""OpenCL on pocl, which compiles for the CPU and runs the work-items of a group in turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyopencl as cl

from tests.emulators.device_code import Kernel, grid, read_opencl

_POCL = "Portable Computing Language"
_GUARD = np.full(256, 0xA5, np.uint8)
"""What lies behind every buffer, and must still be there afterwards."""


class OpenCL:
    """A device of `tests.emulators.emulation`.

    Raises:
        LookupError: pocl is not installed.
    """

    kind = "opencl"
    number = 4

    def __init__(self) -> None:
        try:
            platforms = [p for p in cl.get_platforms() if p.name == _POCL]
        except cl.LogicError:
            platforms = []
        if not platforms:
            raise LookupError("no pocl: apt-get install pocl-opencl-icd")
        self._context = cl.Context(platforms[0].get_devices())
        self._queue = cl.CommandQueue(self._context)
        self._kernels: dict[Kernel, cl.Kernel] = {}

    def load(self, code: bytes) -> Mapping[str, Kernel]:
        return read_opencl(code)

    def launch(
        self, kernel: Kernel, arguments: Sequence[np.ndarray | int | float], extents: Sequence[int]
    ) -> None:
        if kernel not in self._kernels:
            # Most kernels run a few times: optimizing them takes longer than it spares.
            program = cl.Program(self._context, kernel.source).build(["-cl-opt-disable"])
            self._kernels[kernel] = cl.Kernel(program, kernel.name)
        flags = cl.mem_flags.READ_WRITE | cl.mem_flags.COPY_HOST_PTR
        arrays = {id(a): a for a in arguments if isinstance(a, np.ndarray)}
        buffers = {
            key: cl.Buffer(self._context, flags, hostbuf=np.concatenate([array, _GUARD]))
            for key, array in arrays.items()
        }
        values = [
            buffers.get(id(value)) or np.dtype(dtype).type(value)
            for value, dtype in zip(arguments, kernel.arguments, strict=True)
        ]
        blocks, threads = grid(kernel, extents)
        total = [block * thread for block, thread in zip(blocks, threads, strict=True)]
        self._kernels[kernel](self._queue, total, threads, *values)
        for key, array in arrays.items():
            result = np.empty(array.nbytes + _GUARD.nbytes, np.uint8)
            cl.enqueue_copy(self._queue, result, buffers[key])
            assert (result[array.nbytes :] == _GUARD).all(), f"{kernel.name}: wrote past a buffer"
            array[:] = result[: array.nbytes]
