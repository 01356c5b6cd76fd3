"""Tensors that say of memory of this process that it is a device's."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np
import tvm
import tvm_ffi


class _DLTensor(ctypes.Structure):
    """DLPack's tensor, as far as it is needed here."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("device_type", ctypes.c_int32),
        ("device_id", ctypes.c_int32),
        ("ndim", ctypes.c_int32),
        ("dtype", ctypes.c_uint32),
        ("shape", ctypes.c_void_p),
        ("strides", ctypes.c_void_p),
        ("byte_offset", ctypes.c_uint64),
    )


class _Exporter:
    """An object that hands out a capsule of DLPack."""

    def __init__(self, capsule: object, number: int) -> None:
        self._capsule = capsule
        self._number = number

    def __dlpack__(self, **_: object) -> object:
        return self._capsule

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._number, 0


def foreign_tensor(tensor: tvm.runtime.Tensor, number: int) -> tvm_ffi.Tensor:
    """Returns a tensor of the same memory that belongs to the device with DLPack's `number`."""
    capsule = tensor.__dlpack__()
    _dltensor(capsule).device_type = number
    return tvm_ffi.from_dlpack(_Exporter(capsule, number))


def memory(tensors: Sequence[tvm.runtime.Tensor]) -> dict[int, np.ndarray]:
    """Returns the allocations that tensors on the CPU lie in: address to bytes.

    Tensors of one allocation share an entry, which ends where the last of them does.
    """
    sizes: dict[int, int] = {}
    for tensor in tensors:
        capsule = tensor.__dlpack__()
        fields = _dltensor(capsule)
        end = fields.byte_offset + tensor.numpy().nbytes
        sizes[fields.data] = max(end, sizes.get(fields.data, 0))
    return {address: memory_at(address, size) for address, size in sizes.items() if size}


def memory_at(address: int, size: int) -> np.ndarray:
    """Returns `size` bytes at an address."""
    return np.frombuffer((ctypes.c_uint8 * size).from_address(address), np.uint8)


def _dltensor(capsule: object) -> _DLTensor:
    get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
    get_pointer.restype = ctypes.c_void_p
    get_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
    return _DLTensor.from_address(get_pointer(capsule, b"dltensor"))
