"""Runs a library of another device: byte code and host code here, kernels on an emulated device."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import lief
import numpy as np
import tvm
import tvm_ffi

from tests.emulators.device_code import Kernel
from tests.emulators.foreign_tensor import foreign_tensor, memory, memory_at
from tests.numeric.session import Session

_SYMBOL = "__tvm_ffi_"
_NO_FUNCTIONS = ("_library_bin", "_library_ctx")
_CPU_NAMES = {"tir_attention_merge_state": "merge_state_inplace"}


Launches = tuple[tuple[str, tuple[int | float, ...]], ...]
"""What a function launches: of each kernel its text, whatever its name, and the numbers it gets,
those of blocks and threads among them."""


class Device(Protocol):
    """An emulated device.

    Attributes:
        kind: TVM's name of its runtime.
        number: DLPack's number of it.
    """

    kind: str
    number: int

    def load(self, code: bytes) -> Mapping[str, Kernel]:
        """Takes the device's half of a library; returns its kernels by name."""

    def launch(
        self, kernel: Kernel, arguments: Sequence[np.ndarray | int | float], extents: Sequence[int]
    ) -> None:
        """Runs a kernel; returns when its results are in the buffers.

        Args:
            kernel: One of the library.
            arguments: Buffers as arrays of bytes, and numbers. One array may be given twice.
            extents: Of what ``kernel.launch`` names.
        """


class EmulatedSession(Session):
    """A session whose kernels are computed twice: by the CPU's library, then by the device's.

    The byte code and the KV cache run as on a CPU. When they call a kernel, the CPU's library
    computes what to expect of it; then the host code of the device's library checks the arguments
    and launches, and what the device computes is what the byte code goes on with. Kernels that the
    CPU's library has no counterpart of cannot run. What another session has launched with the same
    numbers is not launched again: the byte code goes on with what the CPU has computed.

    Args:
        library: Of the device, with host code for this machine.
        cpu_library: Of this machine's CPU, of the same model.
        device: Runs the kernels.
        checked: What other sessions have launched, and the errors.

    Attributes:
        kernels: The library's kernels by name.
        functions: What its byte code and MLC LLM's runtime call, by name.
        errors: Kernel that ran to its largest error so far, as a share of the largest number that
            it should have written.
        checked: What this session has launched itself, and the errors.
    """

    def __init__(
        self,
        library: Path,
        cpu_library: Path,
        device: Device,
        checked: Mapping[Launches, float],
    ) -> None:
        self._emulated = device
        self._buffers: dict[int, np.ndarray] = {}
        self._rehearses = False
        self._launched: list[tuple[Kernel, tuple[int | float, ...]]] = []
        self._checked_before = checked
        self.checked: dict[Launches, float] = {}
        self.errors: dict[str, float] = {}
        self.kernels: Mapping[str, Kernel] = {}
        _register(f"ffi.Module.load_from_bytes.{device.kind}", self._load)
        # The host code asks it for temporary buffers: here, memory of this process.
        _register(f"device_api.{device.kind}", tvm.get_global_func("device_api.cpu"))
        module = tvm.runtime.load_module(str(library))
        (host,) = module.imports
        # The byte code, and the host code, look for what they do not import here.
        module.clear_imports()
        for kernel in self.kernels.values():
            _register(kernel.name, self._launcher(kernel))
        (expected,) = tvm.runtime.load_module(str(cpu_library)).imports
        cpu_names = {name.replace("_cpu", ""): name for name in _functions(cpu_library)}
        self.functions = {}
        for name in _functions(library):
            function = host.get_function(name)
            if f"{name}_kernel" in self.kernels and _CPU_NAMES.get(name, name) in cpu_names:
                cpu_name = cpu_names[_CPU_NAMES.get(name, name)]
                function = self._comparison(function, expected.get_function(cpu_name))
            self.functions[name] = function
            _register(name, function)
        super().__init__(module)

    def function(self, name: str) -> Callable:
        return self.functions[name] if name in self.functions else super().function(name)

    def left_out(self) -> list[str]:
        """Returns the kernels of the library that no call has run, nor another session's call."""
        run = {text for launches in self._checked_before for text, _ in launches}
        return sorted(
            name
            for name, kernel in self.kernels.items()
            if name not in self.errors and _text(kernel) not in run
        )

    def _load(self, code: tvm_ffi.core.Bytes) -> tvm.runtime.Module:
        """Stands in for the device's runtime, which makes a module of its half of the library."""
        self.kernels = self._emulated.load(bytes(code))
        return tvm_ffi.system_lib(f"no_{self._emulated.kind}_")

    def _launcher(self, kernel: Kernel) -> Callable:
        count = len(kernel.arguments)

        def launch(*arguments) -> None:
            if self._rehearses:
                numbers = [a for a in arguments if not isinstance(a, ctypes.c_void_p)]
                self._launched.append((kernel, tuple(numbers)))
                return
            values = [
                self._buffer(value.value) if isinstance(value, ctypes.c_void_p) else value
                for value in arguments[:count]
            ]
            self._emulated.launch(kernel, values, arguments[count:])

        return launch

    def _buffer(self, address: int) -> np.ndarray:
        """Returns the bytes at an address: of a tensor, or of a temporary buffer."""
        if address not in self._buffers:
            size = ctypes.CDLL(None).malloc_usable_size(ctypes.c_void_p(address))
            self._buffers[address] = memory_at(address, size)
        return self._buffers[address]

    def _comparison(self, host: Callable, reference: Callable) -> Callable:
        def call(*arguments) -> None:
            tensors = [value for value in arguments if isinstance(value, tvm.runtime.Tensor)]
            before = [tensor.numpy().copy() for tensor in tensors]
            copies = [tvm.runtime.tensor(array) for array in before]
            reference(*_with_tensors(arguments, copies))
            number = self._emulated.number
            foreign = [foreign_tensor(tensor, number) for tensor in tensors]
            given = _with_tensors(arguments, foreign)
            launches = self._rehearse(host, given)
            if launches in self._checked_before:
                error = self._checked_before[launches]
                for tensor, copy in zip(tensors, copies, strict=True):
                    tensor.copyfrom(copy)
            else:
                self._buffers = memory(tensors)
                host(*given)
                error = max(
                    _error(tensor.numpy(), copy.numpy(), old)
                    for tensor, copy, old in zip(tensors, copies, before, strict=True)
                )
                self.checked[launches] = max(self.checked.get(launches, 0), error)
            for kernel, _ in self._launched:
                self.errors[kernel.name] = max(self.errors.get(kernel.name, 0), error)

        return call

    def _rehearse(self, host: Callable, arguments: Sequence) -> Launches:
        """Returns what a call launches, without launching it."""
        self._launched.clear()
        self._rehearses = True
        try:
            host(*arguments)
        finally:
            self._rehearses = False
        return tuple((_text(kernel), numbers) for kernel, numbers in self._launched)


def _text(kernel: Kernel) -> str:
    return kernel.source.replace(kernel.name, "kernel")


def _register(name: str, function: Callable) -> None:
    tvm_ffi.register_global_func(name, function, override=True)


def _with_tensors(arguments: Sequence, tensors: Sequence) -> list:
    """Returns the arguments with other tensors in the places of theirs."""
    tensors = iter(tensors)
    return [next(tensors) if isinstance(a, tvm.runtime.Tensor) else a for a in arguments]


def _error(result: np.ndarray, expected: np.ndarray, before: np.ndarray) -> float:
    """Returns the largest error in what should have changed or did, relative to the largest number.

    What was there before is not counted: it may be memory that nobody has written yet.
    """
    changed = (_bits(result) != _bits(before)) | (_bits(expected) != _bits(before))
    result, expected = result[changed].astype(np.float64), expected[changed].astype(np.float64)
    equal = (result == expected) | (np.isnan(result) & np.isnan(expected))
    if equal.all():
        return 0.0
    errors = np.abs(result - expected)[~equal]
    if not np.isfinite(errors).all():
        return float("inf")
    return float(errors.max() / np.abs(expected[np.isfinite(expected)]).max(initial=1e-30))


def _bits(array: np.ndarray) -> np.ndarray:
    return array.view(f"u{array.itemsize}")


def _functions(library: Path) -> set[str]:
    """Returns the names of the functions that a shared library exports for TVM."""
    binary = lief.parse(str(library))
    names = [symbol.name for symbol in binary.exported_symbols]
    return {
        name.removeprefix(_SYMBOL)
        for name in names
        if name.startswith(_SYMBOL) and not name.endswith(_NO_FUNCTIONS)
    }
