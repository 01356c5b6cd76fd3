"""Reads where the tensors of a safetensors file are."""

from __future__ import annotations

import math
import os
import struct
from typing import Any

from tools.cli import UserError
from tools.config import strict_json
from tools.convert_weight.tensor import Tensor, is_size
from tools.weights.lfs import refuse_pointer

_LONGEST_HEADER = 100_000_000  # bytes, the format's own limit

_DTYPES = {"BF16": "bfloat16", "F16": "float16", "F32": "float32"}
_ITEM_SIZES = {"bfloat16": 2, "float16": 2, "float32": 4}


def read(path: str, where: str) -> dict[str, Tensor]:
    """Returns the tensors of a file by their names, in the order of the header.

    Args:
        path: The file.
        where: What errors call it.

    Raises:
        UserError: The file is damaged or not of this format.
    """
    nbytes = os.stat(path).st_size
    with open(path, "rb") as file:
        refuse_pointer(file.read(24), where)
        file.seek(0)
        head = file.read(8)
        length = struct.unpack("<Q", head)[0] if len(head) == 8 else _LONGEST_HEADER + 1
        if length > min(_LONGEST_HEADER, nbytes - 8):
            raise UserError(f"{where}: is not a safetensors file, or a part of one; get it again")
        header = strict_json.loads(file.read(length).rstrip(b" "), f"{where}: header")
    if not isinstance(header, dict):
        raise UserError(f"{where}: header: expected an object of tensors; get the file again")
    return {
        name: _tensor(path, entry, 8 + length, nbytes, f"{where}: {name}")
        for name, entry in header.items()
        if name != "__metadata__"
    }


def _tensor(path: str, entry: Any, begin: int, nbytes: int, where: str) -> Tensor:
    fields = entry if isinstance(entry, dict) else {}
    shape, span, dtype = (fields.get(name) for name in ("shape", "data_offsets", "dtype"))
    if (
        not isinstance(dtype, str)
        or not (isinstance(shape, list) and all(map(is_size, shape)))
        or not (isinstance(span, list) and len(span) == 2 and all(map(is_size, span)))
    ):
        raise UserError(f"{where}: expected dtype, shape and data_offsets; get the file again")
    dtype = _DTYPES.get(dtype, dtype)
    size = math.prod(shape) * _ITEM_SIZES.get(dtype, 0)
    if span[0] > span[1] or begin + span[1] > nbytes:
        raise UserError(
            f"{where}: ends at byte {begin + span[1]} of a file of {nbytes} bytes; get it again"
        )
    if dtype in _ITEM_SIZES and span[1] - span[0] != size:
        raise UserError(
            f"{where}: {dtype}{shape} takes {size} bytes, not {span[1] - span[0]}; "
            "get the file again"
        )
    return Tensor(path, dtype, tuple(shape), begin + span[0])
