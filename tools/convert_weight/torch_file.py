"""Reads where the tensors of a PyTorch checkpoint are, and runs none of the code that it names.

Such a file is a .zip, since PyTorch 1.6: ``data.pkl`` says what is saved, and each storage is a
member of its own, not compressed. The pickle may name only what describes a tensor, and each such
name stands for a function of this module.
"""

from __future__ import annotations

import collections
import dataclasses
import io
import os
import pickle
import struct
import zipfile
import zlib
from typing import Any

from tools.cli import UserError
from tools.convert_weight.tensor import Tensor, is_size
from tools.weights.lfs import refuse_pointer

_DTYPES = {
    "BFloat16Storage": ("bfloat16", 2),
    "FloatStorage": ("float32", 4),
    "HalfStorage": ("float16", 2),
}
"""Others cannot be converted, but may be in a checkpoint: masks and counters."""

# What zipfile, struct and pickle raise for bytes that are not what they expect.
_DAMAGES = (
    ArithmeticError,
    AttributeError,
    EOFError,
    ImportError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    pickle.UnpicklingError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)

_ZIP_BEGIN = b"PK\x03\x04"
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a zip's member: lengths of its name and extra field


def read(path: str, where: str) -> dict[str, Tensor]:
    """Returns the tensors of a file by their names, in the order in which they were saved.

    Args:
        path: The file.
        where: What errors call it.

    Raises:
        UserError: It is damaged, of another format, or names something that is not of a tensor.
    """
    with open(path, "rb") as file:
        begin = file.read(24)
        refuse_pointer(begin, where)
        if not begin.startswith(_ZIP_BEGIN):
            raise UserError(
                f"{where}: is not a PyTorch checkpoint of the .zip format, which PyTorch writes "
                "since 1.6; use the model's safetensors, or save it again"
            )
    try:
        with zipfile.ZipFile(path) as archive:
            description, storages = _members(archive, path, where)
            value = _Unpickler(io.BytesIO(description), storages, where).load()
    except _DAMAGES:
        raise UserError(f"{where}: is damaged, or not of tensors; get it again") from None
    return _tensors(value, path, where)


@dataclasses.dataclass(frozen=True)
class _Storage:
    """A member of the .zip: its span in the file, and the type of its elements."""

    offset: int
    nbytes: int
    dtype: str
    item_size: int


@dataclasses.dataclass(frozen=True)
class _View:
    """What a pickled tensor is: a view of a storage, in elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _members(
    archive: zipfile.ZipFile, path: str, where: str
) -> tuple[bytes, dict[str, tuple[int, int]]]:
    """Returns data.pkl, and the span of every storage by its key."""
    members = archive.infolist()
    names = [member.filename for member in members if member.filename.endswith("/data.pkl")]
    if len(names) != 1:
        raise UserError(f"{where}: holds no data.pkl; is it a PyTorch checkpoint?")
    prefix = names[0].removesuffix("data.pkl") + "data/"
    spans = {}
    nbytes = os.stat(path).st_size
    with open(path, "rb") as file:
        for member in members:
            if not member.filename.startswith(prefix):
                continue
            if member.compress_type != zipfile.ZIP_STORED:
                raise UserError(f"{where}: {member.filename} is compressed; save it again")
            if not 0 <= member.header_offset <= nbytes:
                raise zipfile.BadZipFile(member.filename)
            file.seek(member.header_offset)
            lengths = _LOCAL_HEADER.unpack(file.read(_LOCAL_HEADER.size))
            begin = member.header_offset + _LOCAL_HEADER.size + sum(lengths)
            if begin + member.file_size > nbytes:
                raise UserError(f"{where}: {member.filename} passes its end; get the file again")
            spans[member.filename.removeprefix(prefix)] = (begin, member.file_size)
    return archive.read(names[0]), spans


class _Unpickler(pickle.Unpickler):
    """Knows the names that describe a tensor, and refuses every other."""

    def __init__(self, file: io.BytesIO, spans: dict[str, tuple[int, int]], where: str) -> None:
        super().__init__(file)
        self._spans = spans
        self._where = where

    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_parameter"): _parameter,
            ("torch._utils", "_rebuild_tensor_v2"): _view,
        }
        if (module, name) in known:
            return known[module, name]
        if module in ("torch", "torch.storage") and name.endswith("Storage"):
            return _DTYPES.get(name, (name, 0))
        raise UserError(
            f"{self._where}: data.pkl names {module}.{name}, which is not of a tensor; expected a "
            "checkpoint of weights alone"
        )

    def persistent_load(self, identity: Any) -> _Storage:
        kind, (dtype, item_size), key, *_ = identity
        if kind != "storage" or key not in self._spans:
            raise UserError(f"{self._where}: holds no storage {key!r}; get the file again")
        begin, nbytes = self._spans[key]
        return _Storage(begin, nbytes, dtype, item_size)


def _view(storage: _Storage, offset: int, shape: Any, strides: Any, *_: Any) -> _View:
    return _View(storage, offset, tuple(shape), tuple(strides))


def _parameter(data: _View, *_: Any) -> _View:
    return data


def _tensors(value: Any, path: str, where: str) -> dict[str, Tensor]:
    if not isinstance(value, dict):
        raise UserError(f"{where}: holds no dictionary of tensors; expected a model's state_dict")
    tensors = {}
    for name, view in value.items():
        if view is None:
            continue
        is_tensor = isinstance(view, _View) and isinstance(view.storage, _Storage)
        if not isinstance(name, str) or not is_tensor:
            raise UserError(f"{where}: {name}: is not a tensor; expected a model's state_dict")
        tensors[name] = _tensor(view, path, f"{where}: {name}")
    return tensors


def _tensor(view: _View, path: str, where: str) -> Tensor:
    storage = view.storage
    sizes = (view.offset, *view.shape, *view.strides)
    if len(view.shape) != len(view.strides) or not all(map(is_size, sizes)):
        raise UserError(f"{where}: has no valid shape; get the file again")
    last = sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    end = (view.offset + last + 1) * storage.item_size
    if all(view.shape) and end > storage.nbytes:
        raise UserError(
            f"{where}: ends at byte {end} of a storage of {storage.nbytes} bytes; "
            "get the file again"
        )
    return Tensor(
        path,
        storage.dtype,
        view.shape,
        storage.offset + view.offset * storage.item_size,
        view.strides,
        "float32",
    )
