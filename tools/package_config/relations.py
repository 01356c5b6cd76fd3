"""Mistakes of a package config that no schema of one field can see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tools.package_config import hub_name
from tools.package_config.config import effective, library_name

Found = Iterator[tuple[tuple[str | int, ...], str]]


def mistakes(value: Any) -> Found:
    """Yields the path of each field at fault and what is wrong with it.

    Args:
        value: Any JSON; fields of another type than they should have are passed over.
    """
    if not isinstance(value, dict):
        return
    listed = value.get("model_list")
    listed = listed if isinstance(listed, list) else []
    models = {index: model for index, model in enumerate(listed) if isinstance(model, dict)}
    for index, model in models.items():
        yield from _source(model, ("model_list", index))
    yield from _same_id(models)
    yield from _same_library(models)
    libraries = value.get("model_lib_path_for_prepare_libs")
    yield from _same_key(libraries if isinstance(libraries, dict) else {})


def unused_libraries(value: Any) -> Found:
    """Yields the path of each hand-compiled library that no model takes, and a warning."""
    if not isinstance(value, dict):
        return
    listed, libraries = value.get("model_list"), value.get("model_lib_path_for_prepare_libs")
    models = [m for m in (listed if isinstance(listed, list) else []) if isinstance(m, dict)]
    used = {library_name(str(model.get("model_lib"))) for model in models}
    for name in libraries if isinstance(libraries, dict) else ():
        if library_name(name) not in used:
            yield (
                ("model_lib_path_for_prepare_libs", name),
                "no model has this model_lib, so the library is not packaged",
            )


def _source(model: dict[str, Any], path: tuple[str | int, ...]) -> Found:
    source = model.get("model")
    if not isinstance(source, str):
        return
    wrong = hub_name.problem(source)
    if wrong:
        yield (*path, "model"), wrong
    elif hub_name.repo(source) is None and model.get("bundle_weight", False) is False:
        where = (*path, "bundle_weight") if "bundle_weight" in model else (*path, "model")
        yield (
            where,
            "no app can download a local directory; bundle_weight must be true for this model, or "
            "model be HF://org/repo",
        )


def _same_id(models: dict[int, dict[str, Any]]) -> Found:
    first: dict[str, int] = {}
    for index, model in models.items():
        model_id = model.get("model_id")
        if not isinstance(model_id, str):
            continue
        # Not case-sensitive: neither are the file systems of Macs and iPhones.
        other = first.setdefault(model_id.casefold(), index)
        if other != index:
            yield (
                ("model_list", index, "model_id"),
                f'"{model_id}" is taken by $.model_list[{other}]; give each model its own',
            )


def _same_library(models: dict[int, dict[str, Any]]) -> Found:
    """Where mlc_llm silently ships the library of the first model for both."""
    first: dict[str, tuple[int, dict[str, Any]]] = {}
    for index, model in models.items():
        name, overrides = model.get("model_lib"), model.get("overrides", {})
        if not isinstance(name, str) or not isinstance(overrides, dict):
            continue
        mine = effective(overrides)
        other, theirs = first.setdefault(library_name(name), (index, mine))
        if mine != theirs:
            keys = sorted(set(mine) | set(theirs))
            differing = [key for key in keys if mine.get(key) != theirs.get(key)]
            yield (
                ("model_list", index, "model_lib"),
                f'"{name}" is the library of $.model_list[{other}], too, whose overrides differ in '
                f"{', '.join(differing)}; name them apart, or leave model_lib out",
            )


def _same_key(libraries: dict[str, Any]) -> Found:
    first: dict[str, str] = {}
    for name in libraries:
        other = first.setdefault(library_name(name), name)
        if other != name:
            yield (
                ("model_lib_path_for_prepare_libs", name),
                f'is the library "{other}", too, because "-" becomes "_"; keep one of them',
            )
