"""Finds a model's library and weights in a package folder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from tools.cli import UserError

BUILD_COMMAND = "./bazelw build //examples/quickstart:cpu"


@dataclasses.dataclass(frozen=True)
class PackagedModel:
    """Where one model of a package lies.

    Attributes:
        model_id: its name in the package.
        library: the shared library.
        weights: the folder of mlc-chat-config.json, tensor-cache.json and the shards.
    """

    model_id: str
    library: Path
    weights: Path


def find_model(package: Path, model_id: str | None = None) -> PackagedModel:
    """Looks a model up in `package-manifest.json`.

    Args:
        package: the folder that holds `lib/` and `bundle/`.
        model_id: which model; None for the package's first.

    Returns:
        The model, its library and weights being there.

    Raises:
        UserError: no package, one for another device, no such model, or a file of it is missing.
    """
    manifest = _manifest(package)
    known = {entry["model_id"]: entry["model_lib"] for entry in manifest["models"]}
    model_id = next(iter(known)) if model_id is None else model_id
    if model_id not in known:
        names = ", ".join(sorted(known))
        raise UserError(f"--model-id {model_id}: not in {package}; known models: {names}")
    places = {library["model_lib"]: library["path"] for library in manifest["libraries"]}
    library = package / places[known[model_id]]
    weights = package / "bundle" / model_id
    if not library.is_file():
        raise UserError(f"{library}: missing; build the package again: {BUILD_COMMAND}")
    if not (weights / "mlc-chat-config.json").is_file():
        raise UserError(f"{weights}: the package holds no weights of {model_id}; bundle them")
    return PackagedModel(model_id, library, weights)


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        UserError: it is not JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON: {error}; build the package again") from error


def _manifest(package: Path) -> dict[str, Any]:
    path = package / "package-manifest.json"
    if not path.is_file():
        raise UserError(
            f"--package {package}: no package-manifest.json; "
            f"build a package for this machine: {BUILD_COMMAND}"
        )
    manifest = read_json(path)
    if manifest["device"] != "cpu":
        raise UserError(
            f"--package {package}: built for {manifest['device']}; "
            f"build a package for this machine: {BUILD_COMMAND}"
        )
    return manifest
