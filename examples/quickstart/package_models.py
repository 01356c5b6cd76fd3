"""Finds a model's library and weights in a package folder."""

from __future__ import annotations

import dataclasses
import json
import platform
from pathlib import Path
from typing import Any

from tools.cli import UserError

BUILD_COMMAND = "./bazelw build //examples/quickstart:cpu"


@dataclasses.dataclass(frozen=True)
class PackagedModel:
    """Where one model of a package lies.

    Attributes:
        model_id: its name in the package.
        library: the shared library, `lib/<model_lib>.so`.
        weights: the folder of mlc-chat-config.json, tensor-cache.json and the shards.
    """

    model_id: str
    library: Path
    weights: Path


def find_model(package: Path, model_id: str | None = None) -> PackagedModel:
    """Looks a model up in `package-manifest.json`, or else in `bundle/mlc-app-config.json`.

    Args:
        package: the folder that holds `lib/` and `bundle/`.
        model_id: which model; None for the package's first.

    Returns:
        The model, its library and weights being there.

    Raises:
        UserError: no package, one for another device, no such model, or a file of it is missing.
    """
    entries = _entries(package)
    known = {entry["model_id"]: entry for entry in entries}
    if model_id is None:
        model_id = entries[0]["model_id"]
    if model_id not in known:
        names = ", ".join(sorted(known))
        raise UserError(f"--model-id {model_id}: not in {package}; known models: {names}")
    library = package / "lib" / f"{known[model_id]['model_lib']}.so"
    weights = package / "bundle" / model_id
    if not library.is_file():
        raise UserError(f"{library}: missing; build the package again: {BUILD_COMMAND}")
    if not (weights / "mlc-chat-config.json").is_file():
        raise UserError(f"{weights}: the package holds no weights of {model_id}; bundle them")
    return PackagedModel(model_id, library, weights)


def this_machine() -> str:
    """The device name of this machine's own CPU, such as `cpu:x86_64-linux`."""
    system = {"Darwin": "macos"}.get(platform.system(), platform.system().lower())
    return f"cpu:{platform.machine()}-{system}"


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        UserError: it is not JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UserError(f"{path}: not valid JSON: {error}; build the package again") from error


def _entries(package: Path) -> list[dict[str, Any]]:
    manifest = package / "package-manifest.json"
    app_config = package / "bundle" / "mlc-app-config.json"
    if manifest.is_file():
        document = read_json(manifest)
        entries, device = document.get("models"), document.get("device", "cpu")
    elif app_config.is_file():
        entries, device = read_json(app_config).get("model_list"), "cpu"
    else:
        raise UserError(
            f"--package {package}: no package-manifest.json or bundle/mlc-app-config.json;"
            f" build a package for this machine: {BUILD_COMMAND}"
        )
    if device not in ("cpu", this_machine()):
        raise UserError(
            f"--package {package}: built for {device}, and this machine is {this_machine()};"
            f" build a package for it: {BUILD_COMMAND}"
        )
    if not entries:
        raise UserError(f"--package {package}: the package has no models")
    return entries
