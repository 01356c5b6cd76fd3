"""Converts a checkpoint: blocks of weights, side by side, each to its place in its shard."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import math
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tools import cli, config
from tools.cli import UserError
from tools.convert_weight import shards as shards_
from tools.convert_weight.quantize import quantize
from tools.convert_weight.shards import Shard
from tools.convert_weight.sources import Source, resolve
from tools.convert_weight.tensor import Tensor
from tools.convert_weight.values import all_finite, rounded, stored
from tools.weights.check import TENSOR_CACHE
from tools.weights.digest import digest
from tools.weights.tensor_cache import item_size

# Elements that are converted at a time: what a core's cache holds of float32.
_BLOCK = 1 << 19


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where a parameter begins: in which shard, and at which byte."""

    shard: int
    offset: int


def convert(
    parameters: dict[str, Any],
    tensors: Mapping[str, Tensor],
    output: Path,
    workers: int,
    where: str = "checkpoint",
) -> dict[str, dict[str, Any]]:
    """Writes tensor-cache.json and shards; the bytes do not depend on ``workers``.

    Args:
        parameters: What ``tools.compiler parameters`` wrote.
        tensors: The checkpoint's.
        output: A directory, empty or not there yet; empty, or not there, after an error.
        workers: How many threads convert.
        where: What errors call the checkpoint.

    Returns:
        Name to digests of each file, as `tools.weights.digest.digest` makes them.

    Raises:
        UserError: See `resolve`; or a weight is not finite, or too large for its type.
    """
    sources, elements = resolve(parameters, tensors, where)
    records = [stored for source in sources for stored in source.stored]
    shards = shards_.plan(records)
    if output.exists() and any(output.iterdir()):
        raise UserError(f"{output}: is not empty; give a new directory")
    output.mkdir(parents=True, exist_ok=True)
    partial = output / ".partial"
    partial.mkdir()
    try:
        digests = _write_shards(
            parameters["quantization"], sources, shards, partial, workers, where
        )
        nbytes = sum(math.prod(each["shape"]) * item_size(each["dtype"]) for each in records)
        cache = {
            "metadata": {
                "ParamSize": len(records),
                "ParamBytes": float(nbytes),
                "BitsPerParam": nbytes * 8 / elements,
            },
            "records": [
                {
                    "dataPath": shard.name,
                    "format": "raw-shard",
                    "nbytes": shard.nbytes,
                    "records": [record.to_json() for record in shard.records],
                    "md5sum": digests[shard.name]["md5"],
                }
                for shard in shards
            ],
        }
        cli.write_json(partial / TENSOR_CACHE, cache, sort_keys=False)
        digests[TENSOR_CACHE] = digest(partial / TENSOR_CACHE)
        for name in digests:
            os.rename(partial / name, output / name)
    finally:
        shutil.rmtree(partial)
    return digests


def _write_shards(
    quantization_name: str,
    sources: Sequence[Source],
    shards: Sequence[Shard],
    directory: Path,
    workers: int,
    where: str,
) -> dict[str, dict[str, Any]]:
    """Writes the shards and returns their digests.

    A shard is hashed by the thread that writes its last block, while it is in memory.
    """
    quantization = config.quantization(quantization_name)
    places = {
        record.name: _Place(index, record.offset)
        for index, shard in enumerate(shards)
        for record in shard.records
    }
    paths = [directory / shard.name for shard in shards]
    for path, shard in zip(paths, shards, strict=True):
        with open(path, "wb") as file:
            file.truncate(shard.nbytes)
    left = [shard.nbytes for shard in shards]
    digests: dict[str, dict[str, Any]] = {}
    lock = threading.Lock()

    def write(name: str, offset: int, data: np.ndarray) -> None:
        place = places[name]
        with open(paths[place.shard], "r+b") as file:
            file.seek(place.offset + offset)
            file.write(np.ascontiguousarray(data).data)
        with lock:
            left[place.shard] -= data.nbytes
            is_last = not left[place.shard]
        if is_last:
            digests[shards[place.shard].name] = digest(paths[place.shard])

    blocks = (block for source in sources for block in _blocks(source, quantization.group_size))
    _in_threads(
        workers,
        (lambda block=block: _convert(block, quantization, write, where) for block in blocks),
    )
    return {shard.name: digests[shard.name] for shard in shards}


@dataclasses.dataclass(frozen=True)
class _Block:
    """A part of a weight: rows of one part, or, of layout KN, columns of all of them."""

    source: Source
    part: int | None
    span: slice
    first: int

    def values(self) -> np.ndarray:
        """Returns its elements, float32, rounded to the weight's type."""
        if self.part is None:
            values = np.concatenate(
                [part.values(part.array()[:, self.span]) for part in self.source.parts]
            )
        else:
            part = self.source.parts[self.part]
            values = part.values(part.array()[self.span])
        return rounded(values, self.source.dtype)


def _blocks(source: Source, group_size: int | None) -> Iterator[_Block]:
    columns = source.shape[1] if len(source.shape) > 1 else 1
    if source.layout == "KN":
        step = max(1, _BLOCK // (source.shape[0] * group_size)) * group_size
        for first in range(0, columns, step):
            yield _Block(source, None, slice(first, first + step), first)
        return
    begin = 0
    step = max(1, _BLOCK // columns)
    for index, part in enumerate(source.parts):
        rows = part.array().shape[0]
        for first in range(0, rows, step):
            last = min(rows, first + step)
            yield _Block(source, index, slice(first, last), begin + first)
        begin += rows


def _convert(
    block: _Block,
    quantization: config.Quantization,
    write: Callable[[str, int, np.ndarray], None],
    where: str,
) -> None:
    source = block.source
    with np.errstate(over="ignore"):
        values = block.values()
    if not all_finite(values):
        raise UserError(
            f"{where}: {source.name} has a value that is not finite in {source.dtype}; "
            "choose a quantization of bfloat16 or float32 if it is too large, or get the file again"
        )
    if source.layout is None:
        (parameter,) = source.stored
        data = stored(values, parameter["dtype"])
        row = data.nbytes // len(data)
        write(parameter["name"], block.first * row, data)
        return
    words, scales = quantize(values, quantization)
    for parameter, data in zip(
        source.stored, (words, stored(scales, quantization.model_dtype)), strict=True
    ):
        if source.layout == "KN":
            data = data.T
            # As many rows as groups, or as words of groups, come before this block's.
            per_group = len(data) // -(-values.shape[1] // quantization.group_size)
            row = block.first // quantization.group_size * per_group
        else:
            row = block.first
        write(parameter["name"], row * data.shape[1] * data.itemsize, data)


def _in_threads(workers: int, tasks: Iterator[Callable[[], None]]) -> None:
    """Runs tasks, of which few are waiting at a time; raises the first error."""
    waiting: set[concurrent.futures.Future[None]] = set()
    with concurrent.futures.ThreadPoolExecutor(workers) as executor:
        try:
            for task in tasks:
                if len(waiting) >= 2 * workers:
                    done, waiting = concurrent.futures.wait(
                        waiting, return_when=concurrent.futures.FIRST_COMPLETED
                    )
                    for future in done:
                        future.result()
                waiting.add(executor.submit(task))
            for future in concurrent.futures.as_completed(waiting):
                future.result()
        except BaseException:
            executor.shutdown(cancel_futures=True)
            raise
