"""What can be said of a package's models before any library is compiled."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from tools.cli import UserError
from tools.config import CompileKey
from tools.package.app_config import Entry, check_unique


def check_models(models: Sequence[tuple[Entry, CompileKey]]) -> None:
    """Refuses two models with one id, and two libraries with one name and different contents.

    Raises:
        UserError: It names the later of the two models.
    """
    check_unique([entry for entry, _ in models])
    first: dict[str, tuple[Entry, CompileKey]] = {}
    for entry, key in models:
        other_entry, other = first.setdefault(key.model_lib, (entry, key))
        names = [
            field.name
            for field in dataclasses.fields(CompileKey)
            if field.name != "notes" and getattr(key, field.name) != getattr(other, field.name)
        ]
        if names:
            raise UserError(
                f"{entry.label}: its library and that of {other_entry.label} are both named "
                f'"{key.model_lib}" and differ in {_differences(names, key, other)}; '
                "give one of them another model_lib"
            )


def _differences(names: list[str], one: CompileKey, two: CompileKey) -> str:
    if names != ["model_config"]:
        return ", ".join(names)
    fields = sorted(set(one.model_config) | set(two.model_config))
    return ", ".join(
        name for name in fields if one.model_config.get(name) != two.model_config.get(name)
    )
