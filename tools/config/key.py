"""The compile key: everything that decides the bytes of a model library, and nothing else.

Equal keys mean equal libraries. The chat, sampling and tokenizer fields of mlc-chat-config.json
are not in it, so editing them compiles nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
from pathlib import Path
from typing import Any

from tools import cli
from tools.cli import UserError
from tools.config import registry, strict_json, target

_OPTIONAL = ("architectures", "optimizations", "target")
_LISTS = ("architectures", "notes", "optimizations")
_PREFIX = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")


@dataclasses.dataclass(frozen=True)
class CompileKey:
    """What the compiler is told.

    Attributes:
        device: A name that `tools.config.device` knows, for example ``cpu:x86_64-linux``.
        model_config: Every field of the family, defaults filled in.
        model_lib: The system library's name, ``[a-zA-Z_][a-zA-Z0-9_]*``, without the underscore
            that ends the symbol prefix.
        model_type: A family that `tools.config.families` lists, if the embedded compiler reads it.
        quantization: A name that `tools.config.quantization` knows, if that compiler reads it.
        optimizations: What the optimization level turns on for the device: ``cuda_graph``.
        target: Attributes of the device's TVM target that differ from its own.
        architectures: CUDA's compute capabilities, the lowest first; none for that of the device.
        notes: What was changed on loading, for the log.
    """

    device: str
    model_config: dict[str, Any]
    model_lib: str
    model_type: str
    quantization: str
    optimizations: tuple[str, ...] = ()
    target: dict[str, Any] = dataclasses.field(default_factory=dict)
    architectures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Returns the key as it stands in a file: what is empty is not there, but for notes."""
        value = dataclasses.asdict(self)
        unset = [name for name in _OPTIONAL if not value[name]]
        lists = {name: list(value[name]) for name in _LISTS}
        return {name: v for name, v in {**value, **lists}.items() if name not in unset}

    def tvm_target(self) -> dict[str, Any]:
        """Returns TVM's target, as a dict."""
        device = registry.device(self.device)
        return target.with_overrides(device.target, self.target, self.architectures)

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the key as canonical JSON: sorted, indent 2."""
        cli.write_json(path, self.to_json())


def load_key(path: str | os.PathLike[str], any_model: bool = False) -> CompileKey:
    """Reads a key written by `CompileKey.write`.

    Args:
        path: The file.
        any_model: Whether families and quantizations that only another compiler knows will do.

    Raises:
        UserError: The file is not such a key, or names something that is not known here.
    """
    value = strict_json.load(Path(path))
    names = {field.name for field in dataclasses.fields(CompileKey)}
    required = names.difference(_OPTIONAL)
    if not isinstance(value, dict) or not required <= set(value) <= names:
        raise UserError(
            f"{path}: not a compile key; expected the fields {', '.join(sorted(required))}, "
            f"and may have {', '.join(_OPTIONAL)}"
        )
    lists = {name: tuple(value[name]) for name in _LISTS if name in value}
    key = CompileKey(**{**value, **lists})
    if not any_model:
        registry.check_family(key.model_type, f"{path}: $.model_type")
        registry.quantization(key.quantization, f"{path}: $.quantization")
    device = registry.device(key.device, f"{path}: $.device")
    target.check_overrides(key.target, device, f"{path}: $.target")
    check_model_lib(key.model_lib, f"{path}: $.model_lib")
    return key


def default_model_lib(key: CompileKey) -> str:
    """Returns ``<model_type>_<quantization>_<md5>``, the md5 being that of the rest of the key.

    A ``-`` becomes ``_``, as the runtime does when it looks the library up.
    """
    value = key.to_json()
    del value["model_lib"], value["notes"]
    digest = hashlib.md5(cli.json_text(value).encode("utf-8"), usedforsecurity=False).hexdigest()
    return f"{key.model_type}_{key.quantization}_{digest}".replace("-", "_")


def check_model_lib(name: str, where: str) -> str:
    """Returns the system library's name for a given ``model_lib``: with ``_`` for each ``-``.

    Raises:
        UserError: At ``where``, if the result cannot be the beginning of a C symbol.
    """
    mapped = name.replace("-", "_")
    if not _PREFIX.match(mapped):
        raise UserError(
            f'{where}: "{name}" cannot be the prefix of a symbol; expected letters, digits, '
            '"_" and "-", not beginning with a digit'
        )
    return mapped
