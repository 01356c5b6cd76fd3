"""Whether weights are those that a library was compiled for."""

from __future__ import annotations

from typing import Any

from tools.cli import UserError

_MOST_NAMES = 3


def check_fit(
    where: str, key_type: tuple[str, str], metadata: dict[str, Any], weights: dict[str, Any]
) -> list[str]:
    """Compares a library's parameters with those of a weights manifest.

    Args:
        where: The target that errors name.
        key_type: The library's model_type and quantization.
        metadata: The library's ``_metadata``: ``params`` is a list of ``name``, ``shape`` and
            ``dtype``. A name in place of a size, such as ``vocab_size``, accepts any size.
        weights: What ``tools.weights check`` wrote.

    Returns:
        Warnings: parameters that the library does not use.

    Raises:
        UserError: The weights are of another model or quantization, or lack a parameter.
    """
    for name, wanted in zip(("model_type", "quantization"), key_type, strict=True):
        found = weights["chat_config"][name]
        if found != wanted:
            raise UserError(
                f"{where}: the weights are of {name} {found}, the library is for {wanted}; "
                "use weights and library of one model"
            )
    params = weights["params"]
    expected = {param["name"]: param for param in metadata["params"]}
    missing = [name for name in expected if name not in params]
    if missing:
        raise UserError(
            f"{where}: the weights lack {_some(missing)}, which the library needs; "
            "use the weights of the library's model"
        )
    for name, param in expected.items():
        found = params[name]
        if found["dtype"] != param["dtype"] or not _same_shape(found["shape"], param["shape"]):
            raise UserError(
                f"{where}: {name} is {_type(found)} in the weights and {_type(param)} in the "
                "library; use the weights of the library's model"
            )
    extra = sorted(set(params) - set(expected))
    if extra:
        return [f"{where}: the library does not use {_some(extra)} of the weights"]
    return []


def _same_shape(found: list[int], expected: list[int | str]) -> bool:
    return len(found) == len(expected) and all(
        isinstance(size, str) or size == given for given, size in zip(found, expected, strict=True)
    )


def _type(param: dict[str, Any]) -> str:
    return f"{param['dtype']}[{', '.join(map(str, param['shape']))}]"


def _some(names: list[str]) -> str:
    listing = ", ".join(names[:_MOST_NAMES])
    more = len(names) - _MOST_NAMES
    return f"{listing} and {more} more" if more > 0 else listing
