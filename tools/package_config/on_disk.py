"""What a package config names on this machine: directories of models, and libraries."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.hub.model_name import is_repo
from tools.package_config import hub_name

CHAT_CONFIG = "mlc-chat-config.json"


def mistakes(value: Any, base: Path) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yields the path of each field whose file or directory is missing, and what is wrong.

    Args:
        value: Any JSON; fields of another type than they should have are passed over.
        base: The directory that relative paths begin at.
    """
    if not isinstance(value, dict):
        return
    models = value.get("model_list")
    for index, model in enumerate(models if isinstance(models, list) else []):
        source = model.get("model") if isinstance(model, dict) else None
        local = isinstance(source, str) and hub_name.repo(source) is None
        if local and hub_name.problem(source) is None:
            wrong = _model_problem(source, base)
            if wrong:
                yield ("model_list", index, "model"), wrong
    libraries = value.get("model_lib_path_for_prepare_libs")
    for name, path in (libraries if isinstance(libraries, dict) else {}).items():
        if isinstance(path, str) and not _is_file(base / path):
            yield (
                ("model_lib_path_for_prepare_libs", name),
                f"there is no file {base / path}; expected a library, or no entry to compile one",
            )


def model_files(directory: Path) -> tuple[list[str], list[str]]:
    """Returns the files of a model and the directories they are in, relative to ``directory``.

    Hidden files, Markdown and what Bazel would take for a BUILD file are not part of a model. The
    directory itself is ``.``; names of both lists are sorted, with ``/`` between their parts.
    """
    files, directories = [], []
    for parent, children, names in os.walk(directory):
        children[:] = sorted(child for child in children if not child.startswith("."))
        relative = Path(parent).relative_to(directory)
        directories.append(relative.as_posix())
        files += [
            (relative / name).as_posix()
            for name in names
            if not name.startswith((".", "BUILD")) and not name.endswith(".md")
        ]
    return sorted(files), sorted(directories)


def _model_problem(source: str, base: Path) -> str | None:
    directory = base / source
    if not os.path.isdir(directory):
        repo = source if is_repo(source) else "org/repo"
        return (
            f"there is no directory {directory}; expected one of a converted model, absolute or "
            f"relative to {base}, or HF://{repo}"
        )
    if not _is_file(directory / CHAT_CONFIG):
        return f"{directory} has no {CHAT_CONFIG}; expected the directory of a converted model"
    if Path(os.path.realpath(base)).is_relative_to(os.path.realpath(directory)):
        return (
            f"{directory} holds this file, and dist/ beside it would become part of the model; "
            "move the file out of it"
        )
    return None


def _is_file(path: Path) -> bool:
    # Not of pathlib, which raises an error for a name that is too long.
    return os.path.isfile(path)
