"""From mlc-chat-config.json and overrides to the compile key."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tools.cli import UserError
from tools.config import registry
from tools.config.key import CompileKey, check_model_lib, default_model_lib
from tools.config.normalize import (
    ContradictionError,
    MissingFieldError,
    contradictions,
    normalize,
)
from tools.config.schema import expected_text, show, violations
from tools.config.target import (
    OPT_LEVELS,
    check_architectures,
    check_overrides,
    optimizations,
)

# For these, -1 in the overrides leaves the model's own value, as upstream's command line does.
KEPT_IF_MINUS_ONE = ("context_window_size", "sliding_window_size", "attention_sink_size")


def build_key(
    chat_config: Any,
    device: str,
    *,
    overrides: Any = None,
    opt: str | None = None,
    target: Any = None,
    architectures: Sequence[str] = (),
    model_lib: str | None = None,
    quantization: str | None = None,
    config_name: str = "mlc-chat-config.json",
    where: str = "",
    fields_at_top: bool = False,
) -> CompileKey:
    """Validates, merges and normalizes; returns the key.

    The fields of ``model_config`` come first, the same names at the top level win over them, and
    the overrides over both.

    Args:
        chat_config: The parsed mlc-chat-config.json.
        device: A name that `tools.config.device` knows.
        overrides: The parsed overrides, an object; they may hold ``opt``.
        opt: ``O0`` to ``O3``; None stands for the overrides' ``opt``, else ``O2``.
        target: Parsed attributes that replace those of the device's TVM target, an object.
        architectures: CUDA's compute capabilities, such as ``80``; other devices ignore them.
        model_lib: The library's name; None makes one from the key.
        quantization: In place of the one that the config names.
        config_name: What errors call the config.
        where: What errors call the place of the other arguments: a target.
        fields_at_top: Whether the fields of ``model_config`` stand at the file's top level, as in
            a checkpoint's config.json.

    Raises:
        UserError: One line for each mistake.
    """
    attribute = f"{where} " if where else ""
    sources = _Sources(config_name, f"{attribute}overrides", chat_config, fields_at_top)
    overrides = {} if overrides is None else overrides
    _raise(
        [line for _, line in violations(chat_config, "chat_config", sources.in_config)]
        + [line for _, line in violations(overrides, "overrides", sources.in_overrides)]
    )
    model_type = registry.check_family(chat_config["model_type"], sources.in_config(["model_type"]))
    if quantization is None:
        place, quantization = sources.in_config(["quantization"]), chat_config["quantization"]
    else:
        place = f"{attribute}quantization"
    scheme = registry.quantization(quantization, place)
    registry.check_layout(scheme, model_type, place)
    known = registry.device(device, f"{attribute}device")
    notes: list[str] = []
    config = _model_config(chat_config, overrides, model_type, scheme, known, sources, notes)
    key = CompileKey(
        device=known.name,
        model_config=config,
        model_lib="" if model_lib is None else check_model_lib(model_lib, f"{attribute}model_lib"),
        model_type=model_type,
        quantization=quantization,
        optimizations=optimizations(_opt(opt, overrides.get("opt"), attribute), known),
        target=check_overrides({} if target is None else target, known, f"{attribute}target"),
        architectures=check_architectures(architectures, known, f"{attribute}architectures"),
        notes=tuple(notes),
    )
    return dataclasses.replace(key, model_lib=default_model_lib(key)) if not key.model_lib else key


class _Sources:
    """Words the ``<where>`` of an error line: where the user wrote the value of a field.

    Attributes:
        nested: Name of an object in ``model_config`` that holds fields, too.
    """

    def __init__(
        self, config_name: str, overrides_name: str, chat_config: Any, fields_at_top: bool
    ) -> None:
        self._config_name = config_name
        self._overrides_name = overrides_name
        self._chat_config = chat_config
        self._fields_at_top = fields_at_top
        self.nested: str | None = None

    def in_config(self, path: list[str | int]) -> str:
        """Returns ``<file>: <JSON path>``."""
        return f"{self._config_name}: {_join('$', path)}"

    def in_overrides(self, path: list[str | int]) -> str:
        """Returns ``<target> overrides.<path>``."""
        return _join(self._overrides_name, path)

    def of_field(self, path: list[str | int]) -> str:
        """Returns the place of a merged field: the top level or model_config."""
        if path and self._chat_config.get(path[0]) is not None:
            return self.in_config(path)
        fields = self._chat_config["model_config"]
        if path and fields.get(path[0]) is None and isinstance(fields.get(self.nested), dict):
            path = [self.nested, *path]
        return self.in_config(path if self._fields_at_top else ["model_config", *path])


def _merged(chat_config: dict[str, Any], nested: str | None) -> dict[str, Any]:
    """Returns the fields by name, the outermost where several have it; see x-nested."""
    top = {name: value for name, value in chat_config.items() if name != "model_config"}
    outer = {**chat_config["model_config"], **_set(top)}
    inner = outer.get(nested)
    if not isinstance(inner, dict):
        return _set(outer)
    # What upstream's classes have no field for.
    more = inner.get("kwargs")
    inner = _set({**(more if isinstance(more, dict) else {}), **_set(inner)})
    given = {
        name: value
        for name, value in _set(outer).items()
        if not (type(value) is int and value in (-1, 0) and name in inner)
    }
    return {**inner, **given}


def _set(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _model_config(
    chat_config: dict[str, Any],
    overrides: dict[str, Any],
    model_type: str,
    quantization: registry.Quantization,
    device: registry.Device,
    sources: _Sources,
    notes: list[str],
) -> dict[str, Any]:
    family = registry.schema(model_type)
    sources.nested = family.get("x-nested")
    fields = _merged(chat_config, sources.nested)
    for name, spec in family["properties"].items():
        if "x-null" in spec and name in chat_config["model_config"]:
            fields.setdefault(name, spec["x-null"])
    given = {
        name: value
        for name, value in overrides.items()
        if name != "opt" and not (value == -1 and name in KEPT_IF_MINUS_ONE)
    }
    lines = [line for _, line in violations(fields, model_type, sources.of_field)]
    for name in sorted(given):
        if family["properties"].get(name, {"x-unused": True}).get("x-unused"):
            lines.append(f"{sources.in_overrides([name])}: {model_type} has no {name}; remove it")
    if given:
        overridden = violations({**fields, **given}, model_type, sources.in_overrides)
        lines += [line for path, line in overridden if path and path[0] in given]
    _raise(lines)
    try:
        config = normalize(fields, family, notes)
    except MissingFieldError as error:
        name, *others = error.names
        also = f" (or {' or '.join(others)})" if others else ""
        expected = expected_text(family["properties"][name])
        raise UserError(f"{sources.of_field([name])}: missing; expected {expected}{also}") from None
    except ContradictionError as error:
        raise UserError(f"{sources.of_field([error.field])}: {error.problem}") from None
    for name, alias in family.get("x-learned-positions", {}).items():
        changed, number = given.get(name, config[name]), fields.get(alias, config[name])
        if changed != number:
            where = (sources.in_overrides if name in given else sources.of_field)([name])
            raise UserError(
                f"{where}: {changed} is not {number}, the number of positions that the weights "
                "have; remove it"
            )
    config = normalize({**config, **given}, family, notes)
    _raise(
        [
            f"{(sources.in_overrides if name in given else sources.of_field)(name.split('.'))}: "
            f"{problem}"
            for name, problem in contradictions(config, family, quantization, device)
        ]
    )
    active = chat_config.get("active_vocab_size")
    return {**config, "active_vocab_size": int(active) if active and active > 0 else None}


def _opt(attribute: str | None, override: str | None, where: str) -> str:
    if attribute is not None and attribute not in OPT_LEVELS:
        raise UserError(f"{where}opt: expected O0, O1, O2 or O3, got {show(attribute)}")
    if attribute and override and attribute != override:
        raise UserError(
            f"{where}opt: {attribute} here and {override} in overrides.opt; remove one of them"
        )
    return attribute or override or "O2"


def _join(root: str, path: list[str | int]) -> str:
    return root + "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path)


def _raise(lines: list[str]) -> None:
    if lines:
        raise UserError("\n".join(lines))
