"""What can be compiled: the families, quantizations and devices, read from the files here.

A family is a file ``schemas/<model_type>.schema.json``; a quantization or a device is an entry of
``quantizations.json`` or ``devices.json``.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from tools.cli import UserError
from tools.config import strict_json
from tools.config.suggest import hint

_HERE = Path(__file__).parent
_SHARED_SCHEMAS = frozenset({"common", "chat_config", "overrides"})
_SCHEMA_SUFFIX = ".schema.json"


@dataclasses.dataclass(frozen=True)
class Quantization:
    """How weights are stored.

    Attributes:
        name: As mlc-chat-config.json spells it, for example ``q4f16_1``.
        kind: ``no-quant`` or ``group-quant``.
        model_dtype: The type of activations, scales and unquantized weights.
        bits: Bits of one quantized weight; None for ``no-quant``, like the fields below.
        group_size: Weights that share one scale.
        storage_dtype: The type that quantized weights are packed in.
        layout: ``NK`` (output features first) or ``KN``.
    """

    name: str
    kind: str
    model_dtype: str
    bits: int | None
    group_size: int | None
    storage_dtype: str | None
    layout: str | None


@dataclasses.dataclass(frozen=True)
class Device:
    """What a library is compiled for.

    Attributes:
        name: As upstream spells it, such as ``android:adreno``; where that leaves open for which
            machine, with it, such as ``cpu:x86_64-linux``.
        target: TVM's target as a dict; for a GPU with the key ``host``.
        libraries: The forms of a library, the usual one first: ``tar`` (relocatable objects that
            register themselves, to be linked into an app), or linked: ``so``, ``dylib``, ``wasm``.
        object: The object format, ``elf``, ``macho`` or ``wasm``.
        max_shards: On how many devices of the kind one library may run: the upper bound of
            ``tensor_parallel_shards`` and ``pipeline_parallel_stages``.
        bundled_entry: Which field of mlc-app-config.json tells the app where a bundled model's
            weights are: ``model_path`` or ``model_url``.
    """

    name: str
    target: dict[str, Any]
    libraries: list[str]
    object: str
    max_shards: int
    bundled_entry: str

    @property
    def library(self) -> str:
        """The usual form of a library."""
        return self.libraries[0]

    @property
    def kind(self) -> str:
        """The name without the architecture: ``cpu`` of ``cpu:x86_64-linux``."""
        return self.name.partition(":")[0]


def families() -> list[str]:
    """Returns the known values of ``model_type``, sorted."""
    names = (path.name.removesuffix(_SCHEMA_SUFFIX) for path in (_HERE / "schemas").iterdir())
    return sorted(set(names) - _SHARED_SCHEMAS)


def quantizations() -> list[str]:
    """Returns the names of the known quantizations, sorted."""
    return sorted(_table("quantizations.json"))


def devices() -> list[str]:
    """Returns the names of the known devices, sorted; ``cpu`` once per machine."""
    return sorted(_table("devices.json"))


def check_family(model_type: str, where: str) -> str:
    """Returns ``model_type`` if there is such a family, else raises a UserError at ``where``."""
    if model_type not in families():
        _unknown(where, "model_type", model_type, families())
    return model_type


def quantization(name: str, where: str = "quantization") -> Quantization:
    """Returns the quantization ``name``; a UserError at ``where`` lists the known ones."""
    table = _table("quantizations.json")
    if name not in table:
        _unknown(where, "quantization", name, table)
    return Quantization(name=name, **table[name])


def check_layout(scheme: Quantization, model_type: str, where: str) -> None:
    """Raises a UserError at ``where`` that lists what the family has, if it has no such layout."""
    layout = schema(model_type).get("x-layout")
    if layout is None or scheme.layout in (None, layout):
        return
    table = _table("quantizations.json")
    fitting = sorted(name for name in table if table[name]["layout"] in (None, layout))
    raise UserError(
        f"{where}: {model_type} has no {scheme.name}; expected one of {', '.join(fitting)}"
    )


def device(name: str, where: str = "device") -> Device:
    """Returns the device ``name``; a UserError at ``where`` lists the known ones.

    Plain ``cpu`` is refused: which machine is meant must be said, not taken from the builder.
    """
    table = _table("devices.json")
    if name not in table:
        variants = sorted(known for known in table if known.startswith(f"{name}:"))
        if variants:
            raise UserError(f"{where}: {name} needs an architecture; expected {_or(variants)}")
        _unknown(where, "device", name, table)
    return Device(name=name, **table[name])


def schema(name: str) -> dict[str, Any]:
    """Returns the parsed JSON schema ``schemas/<name>.schema.json``."""
    return _schema(name)


def resolved(spec: dict[str, Any]) -> dict[str, Any]:
    """Returns a field's schema with the definition that its ``$ref`` names filled in.

    References point into ``common.schema.json``, from there (``#/$defs/x``) or from elsewhere.
    """
    if "$ref" not in spec:
        return spec
    definition = _schema("common")["$defs"][spec["$ref"].rpartition("/")[2]]
    return {**definition, **spec}


@functools.cache
def _schema(name: str) -> dict[str, Any]:
    document = strict_json.load(_HERE / "schemas" / f"{name}{_SCHEMA_SUFFIX}")
    extended = document.pop("x-extends", None)
    return {**_schema(extended), **document} if extended else document


@functools.cache
def _table(file_name: str) -> dict[str, Any]:
    return strict_json.load(_HERE / file_name)


def _or(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _unknown(where: str, what: str, name: str, known: Iterable[str]) -> NoReturn:
    raise UserError(f'{where}: unknown {what} "{name}"; {hint(name, known)}')
