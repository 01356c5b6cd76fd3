"""The tensors of a checkpoint, whose files may be many."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.cli import UserError
from tools.config import strict_json
from tools.convert_weight import safetensors_file, torch_file
from tools.convert_weight.tensor import Tensor

_READERS = {
    ".safetensors": safetensors_file.read,
    ".bin": torch_file.read,
    ".pt": torch_file.read,
    ".pth": torch_file.read,
}
_INDEX = ".index.json"
# What a repository may hold beside the checkpoint: the state of a training.
_NOT_WEIGHTS = ("training_args.bin", "optimizer.bin", "scheduler.bin", "optimizer.pt")


def read(files: Mapping[str, str], where: str = "checkpoint") -> dict[str, Tensor]:
    """Returns the tensors of a checkpoint by their names.

    Where an index is given, the files that it lists are the checkpoint; else all are. Where there
    are safetensors, PyTorch's files are not read: a repository that has both has the same in both.

    Args:
        files: Name to path of weight files, with the index if there is one; others are left out.
        where: What errors call the checkpoint.

    Raises:
        UserError: A file is missing or damaged, or a tensor is in two of them.
    """
    weights = sorted(name for name in files if os.path.splitext(name)[1] in _READERS)
    weights = [name for name in weights if name not in _NOT_WEIGHTS]
    safe = [name for name in weights if name.endswith(".safetensors")]
    names = safe or weights
    if not names:
        raise UserError(f"{where}: has no weights; expected .safetensors or .bin files")
    kind = ".safetensors" if safe else ".bin"
    indices = sorted(name for name in files if name.endswith(f"{kind}{_INDEX}"))
    index = None
    if indices:
        index = _index(files[indices[0]], f"{where}: {indices[0]}")
        names = sorted(set(index.values()))
        missing = [name for name in names if name not in files]
        if missing:
            raise UserError(
                f"{where}: {missing[0]}: is missing, and {indices[0]} lists it; add it to the files"
            )
    tensors: dict[str, Tensor] = {}
    owners: dict[str, str] = {}
    for name in names:
        reader = _READERS[os.path.splitext(name)[1]]
        for tensor, found in reader(files[name], f"{where}: {name}").items():
            if tensor in tensors:
                raise UserError(
                    f"{where}: {tensor}: is in {owners[tensor]} and in {name}; leave out one"
                )
            tensors[tensor], owners[tensor] = found, name
    for tensor in sorted(set(index or ()) - set(tensors)):
        raise UserError(f"{where}: {index[tensor]}: lacks {tensor}, which {indices[0]} lists there")
    return tensors


def _index(path: str, where: str) -> dict[str, str]:
    value: Any = strict_json.loads(Path(path).read_bytes(), where)
    weights = value.get("weight_map") if isinstance(value, dict) else None
    if not isinstance(weights, dict) or not weights:
        raise UserError(f"{where}: $.weight_map: expected an object, tensor's name to file's name")
    for tensor, name in weights.items():
        if not isinstance(name, str) or os.path.splitext(name)[1] not in _READERS:
            raise UserError(f"{where}: $.weight_map.{tensor}: expected a file's name, got {name!r}")
    return weights
