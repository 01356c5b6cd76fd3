"""Reads tensor-cache.json: which tensor lies where in which shard."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterator
from typing import Any

from tools.config.plain_name import problem

# Bytes of one element, for the types that TVM writes.
_ITEM_SIZES = {"bfloat16": 2, "bool": 1, "float8_e4m3fn": 1, "float8_e5m2": 1}
_SIZED_TYPE = re.compile(r"(?:float|int|uint)(8|16|32|64)\Z")

_MD5 = re.compile(r"[0-9a-fA-F]{32}\Z")

# Files of a bundle that a shard cannot be.
_RESERVED = ("mlc-chat-config.json", "ndarray-cache.json", "tensor-cache.json")


@dataclasses.dataclass(frozen=True)
class Tensor:
    """A parameter: ``nbytes`` at ``offset`` of its shard; ``shape`` and ``dtype`` once loaded."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    offset: int
    nbytes: int

    @property
    def loaded_bytes(self) -> int:
        """Bytes in memory; those on disk for a type of unknown size."""
        size = item_size(self.dtype)
        return self.nbytes if size is None else math.prod(self.shape) * size


@dataclasses.dataclass(frozen=True)
class Shard:
    """A file of tensors; ``md5`` is in lower case, or None where the cache does not say it."""

    path: str
    nbytes: int
    md5: str | None
    tensors: tuple[Tensor, ...]


def item_size(dtype: str) -> int | None:
    """Returns the bytes of one element, or None for a type that is not known here."""
    match = _SIZED_TYPE.match(dtype)
    return int(match.group(1)) // 8 if match else _ITEM_SIZES.get(dtype)


def parse(value: Any, problems: list[str]) -> list[Shard]:
    """Returns the shards of a parsed tensor-cache.json that are described without a mistake.

    Args:
        value: ``{"metadata": ..., "records": [shard, ...]}``.
        problems: Receives ``<JSON path>: <what is wrong>; <what is expected>`` for each mistake.
    """
    records = value.get("records") if isinstance(value, dict) else None
    if not isinstance(records, list) or not records:
        problems.append("$.records: expected a list of shards; convert the weights again")
        return []
    shards = []
    for index, record in enumerate(records):
        found = list(_shard_problems(record, f"$.records[{index}]"))
        problems.extend(found)
        if not found:
            shards.append(_shard(record))
    return shards


def _shard(record: dict[str, Any]) -> Shard:
    md5 = record.get("md5sum")
    return Shard(
        path=record["dataPath"],
        nbytes=record["nbytes"],
        md5=md5.lower() if md5 else None,
        tensors=tuple(
            Tensor(
                name=tensor["name"],
                shape=tuple(tensor["shape"]),
                dtype=tensor["dtype"],
                offset=tensor["byteOffset"],
                nbytes=tensor["nbytes"],
            )
            for tensor in record["records"]
        ),
    )


def _shard_problems(record: Any, where: str) -> Iterator[str]:
    if not isinstance(record, dict):
        yield f"{where}: expected an object, a shard"
        return
    name = record.get("dataPath")
    wrong = problem(name)
    if wrong is None and name in _RESERVED:
        wrong = "is the name of another file of a bundle"
    if wrong:
        yield f"{where}.dataPath: {name!r} {wrong}; expected a plain file name"
    if not _is_size(record.get("nbytes")):
        yield f"{where}.nbytes: expected a number of bytes, got {record.get('nbytes')!r}"
    md5 = record.get("md5sum")
    if md5 is not None and not (isinstance(md5, str) and _MD5.match(md5)):
        yield f"{where}.md5sum: expected 32 hexadecimal digits, got {md5!r}"
    tensors = record.get("records")
    if not isinstance(tensors, list):
        yield f"{where}.records: expected a list of tensors"
        return
    for index, tensor in enumerate(tensors):
        yield from _tensor_problems(tensor, record.get("nbytes"), f"{where}.records[{index}]")


def _tensor_problems(tensor: Any, shard_nbytes: Any, where: str) -> Iterator[str]:
    if not isinstance(tensor, dict):
        yield f"{where}: expected an object, a tensor"
        return
    name, shape, dtype = (tensor.get(field) for field in ("name", "shape", "dtype"))
    offset, nbytes = tensor.get("byteOffset"), tensor.get("nbytes")
    fields_ok = True
    for field, good, expected in (
        ("name", isinstance(name, str) and name, "a parameter's name"),
        ("shape", isinstance(shape, list) and all(map(_is_size, shape)), "a list of sizes"),
        ("dtype", isinstance(dtype, str) and dtype, "a type such as float16"),
        ("byteOffset", _is_size(offset), "a number of bytes"),
        ("nbytes", _is_size(nbytes), "a number of bytes"),
    ):
        if not good:
            fields_ok = False
            yield f"{where}.{field}: expected {expected}, got {tensor.get(field)!r}"
    if not fields_ok:
        return
    if _is_size(shard_nbytes) and offset + nbytes > shard_nbytes:
        yield (
            f"{where}: {name} ends at byte {offset + nbytes} of a shard of {shard_nbytes} bytes; "
            "convert the weights again"
        )
    # f32-to-bf16 keeps the upper half of each float32 on disk, and other types as they are.
    halved = tensor.get("format") == "f32-to-bf16" and dtype == "float32"
    stored_type = "bfloat16" if halved else dtype
    size = item_size(stored_type)
    if size is not None and math.prod(shape) * size != nbytes:
        yield (
            f"{where}: {name} of shape {shape} and type {stored_type} takes "
            f"{math.prod(shape) * size} bytes, not {nbytes}; convert the weights again"
        )


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
