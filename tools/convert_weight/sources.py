"""Which parts of which tensors each weight of a library is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from tools.cli import UserError
from tools.convert_weight.families import FAMILIES
from tools.convert_weight.family import Piece
from tools.convert_weight.tensor import Tensor
from tools.convert_weight.values import rounded, widen

_MOST_NAMES = 8


@dataclasses.dataclass(frozen=True)
class Part:
    """Consecutive rows of a weight: a view of a tensor."""

    tensor: Tensor
    piece: Piece

    def array(self) -> np.ndarray:
        """Returns the rows, of the tensor's own type."""
        array = self.tensor.array()
        return array if self.piece.view is None else self.piece.view(array)

    def values(self, array: np.ndarray) -> np.ndarray:
        """Returns a part of `array` as float32."""
        values = widen(array, self.tensor.dtype)
        if self.piece.plus_one:
            values = rounded(values + 1, self.tensor.sum_dtype or self.tensor.dtype)
        return values


@dataclasses.dataclass(frozen=True)
class Source:
    """A weight of a library, before it is quantized.

    Attributes:
        name: Its name.
        dtype: The type that its elements are rounded to.
        shape: Rows and columns, or the length of a vector; experts are counted as rows.
        layout: ``NK``, ``KN``, or None where it is not quantized.
        stored: ``name``, ``shape`` and ``dtype`` of each parameter that holds it.
        parts: Its rows.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    layout: str | None
    stored: tuple[dict[str, Any], ...]
    parts: tuple[Part, ...]


def resolve(
    parameters: dict[str, Any], tensors: Mapping[str, Tensor], where: str
) -> tuple[list[Source], int]:
    """Returns the weights in the library's order, and how many elements of tensors they use.

    Args:
        parameters: What ``tools.compiler parameters`` wrote.
        tensors: The checkpoint's.
        where: What errors call the checkpoint.

    Raises:
        UserError: A tensor is missing, of another shape, of a type that cannot be converted, or
            has no use.
    """
    model_type = parameters["model_type"]
    if model_type not in FAMILIES:
        raise UserError(
            f"{where}: checkpoints of model_type {model_type} cannot be converted; "
            f"expected one of {', '.join(sorted(FAMILIES))}"
        )
    family = FAMILIES[model_type]
    by_name = {family.canonical(name): tensor for name, tensor in tensors.items()}
    original = {family.canonical(name): name for name in tensors}
    pieces = {}
    for weight in parameters["weights"]:
        found = family.pieces(weight["name"], parameters["model_config"])
        pieces[weight["name"]] = [
            piece
            if piece.tensor in by_name
            else dataclasses.replace(piece, tensor=family.fallback.get(piece.tensor, piece.tensor))
            for piece in found
        ]
    used = {piece.tensor for each in pieces.values() for piece in each}
    missing = sorted(used - set(by_name))
    if missing:
        hint = ""
        if missing == ["lm_head.weight"]:
            hint = " or set tie_word_embeddings in config.json, if the embedding takes its place"
        raise UserError(
            f"{where}: lacks {_some(missing)}, which a {model_type} of this config.json has; "
            f"give all files of the checkpoint{hint}"
        )
    unused = sorted(
        name for key, name in original.items() if key not in used and not family.ignores(key)
    )
    if unused:
        raise UserError(
            f"{where}: has {_some(unused)}, which a {model_type} of this config.json does not use; "
            "are config.json, model_type and the checkpoint of one model?"
        )
    sources = [
        _source(weight, pieces[weight["name"]], by_name, where) for weight in parameters["weights"]
    ]
    return sources, sum(by_name[name].size for name in used)


def _source(
    weight: dict[str, Any], pieces: list[Piece], tensors: Mapping[str, Tensor], where: str
) -> Source:
    name, shape = weight["name"], weight["shape"]
    parts = tuple(Part(tensors[piece.tensor], piece) for piece in pieces)
    for part in parts:
        if not part.tensor.is_readable:
            raise UserError(
                f"{where}: {part.piece.tensor}: is of type {part.tensor.dtype}; expected a "
                "checkpoint in bfloat16, float16 or float32"
            )
    shapes = [part.array().shape for part in parts]
    # The rows of all experts are one axis here.
    flat = (int(np.prod(shape[:-1])), shape[-1]) if len(shape) > 1 else tuple(shape)
    if sum(each[0] for each in shapes if each) != flat[0] or any(
        each[1:] != flat[1:] for each in shapes
    ):
        first = pieces[0].tensor
        listing = " and ".join(str(list(tensors[each].shape)) for each in _names(pieces)[:4])
        raise UserError(
            f"{where}: {first}: {name} is made of {listing}, and has to be {list(shape)} by "
            "config.json; are they of one model?"
        )
    return Source(name, weight["dtype"], flat, weight["layout"], tuple(weight["stored"]), parts)


def _names(pieces: list[Piece]) -> list[str]:
    return list(dict.fromkeys(piece.tensor for piece in pieces))


def _some(names: list[str]) -> str:
    listing = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{listing} and {more} more" if more > 0 else listing
