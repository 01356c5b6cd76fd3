"""Which parameter lies where in which shard, known before anything is converted."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import Any

from tools.weights.tensor_cache import item_size

# As upstream's: parameters are collected up to this size, and one of half of it has its own shard.
_CAPACITY = 32 << 20


@dataclasses.dataclass(frozen=True)
class Record:
    """A parameter in a shard; ``nbytes`` as stored, at ``offset``."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    nbytes: int
    offset: int

    def to_json(self) -> dict[str, Any]:
        """Returns the record as it stands in tensor-cache.json."""
        return {
            "name": self.name,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "format": "f32-to-bf16",
            "nbytes": self.nbytes,
            "byteOffset": self.offset,
        }


@dataclasses.dataclass(frozen=True)
class Shard:
    """A file of parameters."""

    name: str
    records: tuple[Record, ...]

    @property
    def nbytes(self) -> int:
        """Its size."""
        return sum(record.nbytes for record in self.records)


def stored_item_size(dtype: str) -> int:
    """Returns the bytes of an element in a shard, where float32 is stored as bfloat16."""
    return 2 if dtype == "float32" else item_size(dtype)


def plan(parameters: Iterable[dict[str, Any]]) -> list[Shard]:
    """Returns the shards of parameters, each with ``name``, ``shape`` and ``dtype``."""
    shards: list[Shard] = []
    pending: list[Record] = []
    filled = 0

    def commit(records: list[Record]) -> None:
        shards.append(Shard(f"params_shard_{len(shards)}.bin", tuple(records)))

    for parameter in parameters:
        shape, dtype = tuple(parameter["shape"]), parameter["dtype"]
        nbytes = math.prod(shape) * stored_item_size(dtype)
        record = Record(parameter["name"], shape, dtype, nbytes, filled)
        if filled + nbytes >= _CAPACITY:
            if 2 * nbytes >= _CAPACITY:
                commit([dataclasses.replace(record, offset=0)])
                continue
            if pending:
                commit(pending)
            pending, filled = [], 0
            record = dataclasses.replace(record, offset=0)
        pending.append(record)
        filled += nbytes
    if pending:
        commit(pending)
    return shards
