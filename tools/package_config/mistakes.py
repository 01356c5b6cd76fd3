"""What is wrong with a package config, all of it at once, in the order of the file."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.cli import UserError
from tools.config import strict_json
from tools.config.schema import worded
from tools.config.suggest import hint, within_edits
from tools.package_config import on_disk, relations
from tools.package_config.document import Document
from tools.package_config.lines import Lines

# Keys that apps keep in an entry for themselves.
_APP_KEYS = frozenset({"bytes", "group", "model_path", "name"})

# An unknown key this near to a known one is a misspelt one.
_MOST_EDITS = 2


def check(document: Document, base: Path, strict: bool = False) -> list[str]:
    """Refuses a file with mistakes; returns warnings, one line each.

    Relative paths in the file begin at the directory ``base``.

    Unknown keys are warned of, because apps keep their own in this file: an error they are with
    ``strict``, where they are within two edits of a known key, and always in ``overrides``.

    Raises:
        UserError: One line for each mistake.
    """
    errors, warnings = Lines(), Lines()
    violations = list(_violations(document.value))
    for path, line in worded(violations, "key", _locate(document)):
        errors.add(document.offset(tuple(path)), line)
    for path, message, serious in _unknown_keys(document.value):
        kind = errors if serious or strict else warnings
        kind.add(document.key_offset(path), f"{document.where_key(path)}: {message}")
    refused = {tuple(each.absolute_path) for each in violations}
    others = (relations.mistakes(document.value), on_disk.mistakes(document.value, base))
    for path, message in itertools.chain(*others):
        if path not in refused:
            errors.add(document.offset(path), f"{document.where(path)}: {message}")
    for path, message in relations.unused_libraries(document.value):
        warnings.add(document.offset(path), f"{document.where(path)}: {message}")
    if errors:
        raise UserError("\n".join(errors.in_order()))
    return warnings.in_order()


def devices() -> list[str]:
    """Returns what ``device`` may be."""
    return schema()["$defs"]["device"]["enum"]


@functools.cache
def schema() -> dict[str, Any]:
    """Returns the published JSON schema."""
    return strict_json.load(Path(__file__).with_name("mlc-package-config.schema.json"))


def _violations(value: Any) -> Iterator[Any]:
    # Imported here: it takes 0.1 s, and most errors of syntax come before.
    import jsonschema

    validator = jsonschema.Draft202012Validator(schema())
    # Unknown keys have a function of their own, which knows where they stand.
    return (e for e in validator.iter_errors(value) if e.validator != "additionalProperties")


def _locate(document: Document) -> Any:
    return lambda path: document.where(tuple(path))


def _unknown_keys(value: Any) -> Iterator[tuple[tuple[str | int, ...], str, bool]]:
    """Yields path, message and whether what ships would change if the key were ignored."""
    if not isinstance(value, dict):
        return
    top = schema()["properties"]
    entry = top["model_list"]["items"]["properties"]
    yield from _unknown(value, (), top, frozenset())
    models = value.get("model_list")
    for index, model in enumerate(models if isinstance(models, list) else []):
        path = ("model_list", index)
        if not isinstance(model, dict):
            continue
        yield from _unknown(model, path, entry, _APP_KEYS)
        overrides = model.get("overrides")
        known = entry["overrides"]["properties"]
        for key in overrides if isinstance(overrides, dict) else ():
            if key not in known:
                message = f"unknown override; {hint(key, known)}"
                yield (*path, "overrides", key), message, True


def _unknown(
    value: dict[str, Any],
    path: tuple[str | int, ...],
    known: dict[str, Any],
    own: frozenset[str],
) -> Iterator[tuple[tuple[str | int, ...], str, bool]]:
    for key in value:
        if key in known or key in own or key.startswith("_"):
            continue
        meant = within_edits(key, known, _MOST_EDITS)
        if meant:
            yield (*path, key), f"unknown key; did you mean {meant}?", True
        else:
            message = (
                f"unknown key, which is ignored; expected one of {', '.join(sorted(known))}, "
                'or a comment, beginning with "_"'
            )
            yield (*path, key), message, False
