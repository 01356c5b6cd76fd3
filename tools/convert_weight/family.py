"""How a family's parameters are made of the tensors of a checkpoint."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

# No family reads these: RoPE's angles are computed, and an output layer that shares the
# embedding's weight may be saved beside it.
_IGNORED = (
    r"(.*\.)?rotary_emb\.inv_freq",
    r"lm_head\.weight",
    r"(.*\.)?rotary_emb\.(cos|sin)_cached",
)


@dataclasses.dataclass(frozen=True)
class Piece:
    """Consecutive rows of a parameter: a tensor, or a part of one.

    Attributes:
        tensor: The tensor's name.
        view: Takes the tensor, returns the rows without copying; the whole of it where None.
        plus_one: Whether 1 is added to each element.
    """

    tensor: str
    view: Callable[[np.ndarray], np.ndarray] | None = None
    plus_one: bool = False


Special = Callable[[re.Match[str], Mapping[str, Any]], Sequence[Piece]]


@dataclasses.dataclass(frozen=True)
class Family:
    """The rules of a family; what none of them names has the same name in a checkpoint.

    Attributes:
        fused: Part of a parameter's name, to those of the tensors whose rows it joins.
        special: Pattern of a whole parameter's name, to a function that returns its pieces, whose
            names need no further rule; it takes the match and the model_config.
        renamed: ``(pattern, replacement)``, each applied to the name of every other tensor.
        transposed: Pattern of the whole names of parameters that are transposed in a checkpoint.
        plus_one: Pattern of the whole names of parameters that are one larger than in a checkpoint.
        fallback: A tensor that a checkpoint may lack, to the one that then takes its place.
        aliases: ``(pattern, replacement)`` for names of a checkpoint's tensors, which differ
            between those that hold one model.
        ignored: Patterns of whole names of tensors that have no use here.
    """

    fused: Mapping[str, Sequence[str]] = dataclasses.field(default_factory=dict)
    special: Mapping[str, Special] = dataclasses.field(default_factory=dict)
    renamed: Sequence[tuple[str, str]] = ()
    transposed: str | None = None
    plus_one: str | None = None
    fallback: Mapping[str, str] = dataclasses.field(default_factory=dict)
    aliases: Sequence[tuple[str, str]] = ()
    ignored: Sequence[str] = ()

    def pieces(self, parameter: str, config: Mapping[str, Any]) -> list[Piece]:
        """Returns the pieces of a parameter, first rows first.

        Args:
            parameter: Its name before it is quantized.
            config: The model_config.
        """
        for pattern, function in self.special.items():
            match = re.fullmatch(pattern, parameter)
            if match:
                return list(function(match, config))
        view = np.transpose if _matches(self.transposed, parameter) else None
        plus_one = _matches(self.plus_one, parameter)
        return [Piece(self._renamed(name), view, plus_one) for name in self._parts(parameter)]

    def canonical(self, tensor: str) -> str:
        """Returns the name by which the rules know a checkpoint's tensor."""
        return _substituted(tensor, self.aliases)

    def ignores(self, tensor: str) -> bool:
        """Returns whether a tensor that no parameter needs may be in a checkpoint."""
        return any(re.fullmatch(pattern, tensor) for pattern in (*_IGNORED, *self.ignored))

    def _parts(self, parameter: str) -> list[str]:
        for part, parts in self.fused.items():
            if f".{part}." in parameter:
                return [parameter.replace(f".{part}.", f".{each}.") for each in parts]
        return [parameter]

    def _renamed(self, name: str) -> str:
        return _substituted(name, self.renamed)


def _matches(pattern: str | None, name: str) -> bool:
    return pattern is not None and re.fullmatch(pattern, name) is not None


def _substituted(name: str, rules: Sequence[tuple[str, str]]) -> str:
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name
