"""Checks values against the JSON schemas here and words each violation as one line."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from tools.config import registry
from tools.config.suggest import hint

_LONGEST_VALUE = 60


def violations(
    value: Any, schema_name: str, locate: Callable[[list[str | int]], str]
) -> Iterator[tuple[list[str | int], str]]:
    """Yields every violation of a schema, in the order of the fields' names.

    Args:
        value: Parsed JSON.
        schema_name: A name that `registry.schema` knows.
        locate: Turns a path (field names and list indices) into the ``<where>`` of an error line.

    Yields:
        The path of the field at fault, and the line ``<where>: <what is wrong>``.
    """
    yield from worded(_validator(schema_name).iter_errors(value), schema_name[:-1], locate)


def worded(
    errors: Iterable[Any], what: str, locate: Callable[[list[str | int]], str]
) -> Iterator[tuple[list[str | int], str]]:
    """Yields jsonschema's ``errors`` as `violations` does; ``what`` is an unknown field's kind."""
    for error in sorted(errors, key=lambda e: [str(part) for part in e.absolute_path]):
        path = list(error.absolute_path)
        if error.validator == "required":
            yield from _missing(error, path, locate)
        elif error.validator == "additionalProperties":
            known = error.schema["properties"]
            for name in sorted(set(error.instance) - set(known)):
                where = locate([*path, name])
                yield [*path, name], f"{where}: unknown {what}; {hint(name, known)}"
        else:
            expected = expected_text(error.schema) + _limit(error)
            yield path, f"{locate(path)}: expected {expected}, got {show(error.instance)}"


def expected_text(schema: dict[str, Any]) -> str:
    """Returns what a field's schema says that it expects."""
    return registry.resolved(schema)["x-expected"]


def show(value: Any) -> str:
    """Returns ``value`` as JSON, cut after a few words."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _limit(error: Any) -> str:
    """Returns the limit that a number is beyond, where what is expected does not say it."""
    value, limit = error.instance, error.validator_value
    if error.validator == "maximum" and limit and str(limit) not in expected_text(error.schema):
        return f", at most {limit}"
    return f", at least {limit}" if error.validator == "minimum" and 0 < value < limit < 1 else ""


def _missing(
    error: Any, path: list[str | int], locate: Callable[[list[str | int]], str]
) -> Iterator[tuple[list[str | int], str]]:
    # One error is raised for each missing name; only its text says which.
    name = next(n for n in error.validator_value if error.message.startswith(f"{n!r} "))
    expected = expected_text(error.schema["properties"][name])
    yield [*path, name], f"{locate([*path, name])}: missing; expected {expected}"


@functools.cache
def _validator(schema_name: str) -> Any:
    # Imported here: it takes 0.1 s, and a reader of compile keys does not need it.
    import jsonschema
    import referencing

    common = referencing.Resource.from_contents(registry.schema("common"))
    resources = referencing.Registry().with_resource("common.schema.json", common)
    return jsonschema.Draft202012Validator(registry.schema(schema_name), registry=resources)
