"""mlc.lock.json: for each model a commit, and a sha256 for every file of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from tools import cli
from tools.cli import UserError
from tools.config import strict_json
from tools.config.plain_name import problem
from tools.hub import hub_path
from tools.hub.listing import COMMIT, SHA256
from tools.hub.model_name import is_repo

VERSION = 1
"""The version of the format; others are refused."""


def load(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Returns the models of a lock by name; none where the file does not exist.

    Returns:
        ``{name: {"repo", "revision", "include", "exclude", "commit", "files": [{"path",
        "sha256", "nbytes"}]}}``.

    Raises:
        UserError: The file is not a lock of this version; names its first mistake.
    """
    try:
        value = strict_json.load(path)
    except FileNotFoundError:
        return {}
    for where, wrong in _mistakes(value):
        raise UserError(f"{path}: {where}: {wrong}; make the lock anew")
    return value["models"]


def save(path: str | os.PathLike[str], models: dict[str, Any]) -> None:
    """Writes a lock; equal models always become equal bytes."""
    ordered = {
        name: {**model, "files": sorted(model["files"], key=lambda file: file["path"])}
        for name, model in models.items()
    }
    cli.write_json(path, {"version": VERSION, "models": ordered})


def _mistakes(value: Any) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict) or value.get("version") != VERSION:
        yield "$.version", f"expected {VERSION}"
        return
    models = value.get("models")
    if not isinstance(models, dict):
        yield "$.models", "expected an object, the models by name"
        return
    for name, model in models.items():
        where = f"$.models.{name}"
        if problem(name):
            yield where, f"the name {problem(name)}"
        elif not isinstance(model, dict):
            yield where, "expected an object, a model"
        else:
            yield from _mistakes_of_model(model, where)


def _mistakes_of_model(model: dict[str, Any], where: str) -> Iterator[tuple[str, str]]:
    commit, files = model.get("commit"), model.get("files")
    if not is_repo(model.get("repo")):
        yield f"{where}.repo", "expected org/repo"
    if not isinstance(model.get("revision"), str):
        yield f"{where}.revision", "expected a branch, a tag or a commit"
    for patterns in ("include", "exclude"):
        globs = model.get(patterns)
        if not isinstance(globs, list) or not all(isinstance(glob, str) for glob in globs):
            yield f"{where}.{patterns}", "expected a list of patterns"
    if not (isinstance(commit, str) and COMMIT.match(commit)):
        yield f"{where}.commit", "expected 40 hexadecimal digits"
    if not isinstance(files, list):
        yield f"{where}.files", "expected a list of files"
        return
    seen: set[str] = set()
    for index, file in enumerate(files):
        here = f"{where}.files[{index}]"
        if not isinstance(file, dict):
            yield here, "expected an object, a file"
            continue
        path, sha256, nbytes = file.get("path"), file.get("sha256"), file.get("nbytes")
        if hub_path.problem(path):
            yield f"{here}.path", f"{path!r} {hub_path.problem(path)}"
        elif path in seen:
            yield f"{here}.path", f"{path} is listed twice"
        if not (isinstance(sha256, str) and SHA256.match(sha256)):
            yield f"{here}.sha256", "expected 64 hexadecimal digits"
        if not isinstance(nbytes, int) or isinstance(nbytes, bool) or nbytes < 0:
            yield f"{here}.nbytes", "expected a number of bytes"
        seen.add(str(path))
