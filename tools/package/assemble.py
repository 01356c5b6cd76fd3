"""Checks the models of a package against each other; writes the app config and the manifest."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools import cli
from tools.cli import UserError
from tools.config import CompileKey, Device, load_key, registry, strict_json
from tools.config.plain_name import path_problem
from tools.package.app_config import (
    Entry,
    app_config_entry,
    computed_vram,
    parse_entry,
)
from tools.package.check import check_models
from tools.package.fit import check_fit
from tools.weights.digest import digest

APP_CONFIG_PATH = "bundle/mlc-app-config.json"

# In place of a weights manifest.
NO_WEIGHTS = "-"


@dataclasses.dataclass(frozen=True)
class Model:
    """The inputs of one model, parsed; ``weights`` is None where none were given."""

    entry: Entry
    key: CompileKey
    metadata: dict[str, Any]
    weights: dict[str, Any] | None

    @staticmethod
    def load(paths: Sequence[str]) -> Model:
        """Reads ENTRY.json, KEY.json, METADATA.json and WEIGHTS.json or ``-``."""
        entry, key, metadata, weights = paths
        return Model(
            entry=parse_entry(strict_json.load(entry)),
            key=load_key(key, any_model=True),
            metadata=strict_json.load(metadata),
            weights=None if weights == NO_WEIGHTS else strict_json.load(weights),
        )


def assemble(
    where: str,
    device_name: str,
    versions: dict[str, str],
    models: Sequence[Model],
    files: Sequence[Sequence[str]],
    listed: Sequence[dict[str, Any]],
    libraries: Sequence[Sequence[str]],
    app_config_paths: Sequence[str],
    app_config_output: str | os.PathLike[str],
    manifest_output: str | os.PathLike[str],
) -> list[str]:
    """Writes both files of a package.

    Args:
        where: The package's target, which errors name.
        device_name: The package's device; ``cpu`` stands for every ``cpu:<architecture>``.
        versions: The toolchain's, for the manifest.
        models: In the order of the app config.
        files: ``(path in the package, file)`` of what is in the package besides the bundled
            weights and the app config: archives and shared libraries.
        listed: ``path``, ``nbytes`` and ``sha256`` of further files, such as a runtime's.
        libraries: ``(compile key, path in the package, library file)``, for the manifest.
        app_config_paths: Where in the package the app config stands.
        app_config_output: The app config to write.
        manifest_output: The manifest to write.

    Returns:
        Warnings.

    Raises:
        UserError: See the checks.
    """
    check_models([(model.entry, model.key) for model in models])
    warnings: list[str] = []
    app_entries = []
    manifest_models = []
    for model in models:
        device = _device(model, device_name)
        label = model.entry.label
        if model.weights is not None:
            types = (model.key.model_type, model.key.quantization)
            warnings += check_fit(label, types, model.metadata["metadata"], model.weights)
        elif model.entry.bundle_weight:
            raise UserError(f"{label}: bundle_weight is set without weights; set weights")
        vram, problems = computed_vram(
            label, model.entry.estimated_vram_bytes, model.metadata["memory"]
        )
        warnings += problems
        app_entries.append(app_config_entry(model.entry, model.key.model_lib, vram, device))
        manifest_models.append(
            {
                "bundled": model.entry.bundle_weight,
                "estimated_vram_bytes": vram,
                "model_id": model.entry.model_id,
                "model_lib": model.key.model_lib,
                "url": model.entry.url,
            }
        )
    app_config = cli.json_text({"model_list": app_entries}, sort_keys=False)
    manifest = {
        "device": device_name,
        "files": _files(where, models, files, listed, app_config_paths, app_config.encode("utf-8")),
        "libraries": _libraries(models, libraries),
        "models": manifest_models,
        "versions": versions,
    }
    cli.write_text(app_config_output, app_config)
    cli.write_json(manifest_output, manifest)
    return warnings


def _device(model: Model, device_name: str) -> Device:
    device = registry.device(model.key.device)
    if device_name not in (device.name, device.kind):
        raise UserError(
            f"{model.entry.label}: the library is for {device.name} and the package for "
            f"{device_name}; give both one device"
        )
    return device


def _libraries(models: Sequence[Model], libraries: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    places: dict[str, dict[str, str]] = {}
    for key, path, file in libraries:
        places[load_key(key, any_model=True).model_lib] = {
            "path": path,
            "sha256": digest(file)["sha256"],
        }
    result = {
        model.key.model_lib: {
            "library": model.metadata["library"],
            "memory": model.metadata["memory"],
            "metadata": model.metadata["metadata"],
            "model_lib": model.key.model_lib,
            "symbol": model.metadata["library"]["symbol"],
            **places.get(model.key.model_lib, {}),
        }
        for model in models
    }
    return [entry for _, entry in sorted(result.items())]


def _files(
    where: str,
    models: Sequence[Model],
    files: Sequence[Sequence[str]],
    listed: Sequence[dict[str, Any]],
    app_config_paths: Sequence[str],
    app_config: bytes,
) -> list[dict[str, Any]]:
    entries = [
        {
            "path": path,
            "nbytes": len(app_config),
            "sha256": hashlib.sha256(app_config).hexdigest(),
        }
        for path in app_config_paths
    ]
    entries += listed
    for path, source in files:
        found = digest(Path(source))
        entries.append({"path": path, "nbytes": found["nbytes"], "sha256": found["sha256"]})
    for model in models:
        if model.entry.bundle_weight and model.weights is not None:
            entries += [
                {**file, "path": f"bundle/{model.entry.model_id}/{file['path']}"}
                for file in model.weights["files"]
            ]
    seen: set[str] = set()
    for entry in entries:
        wrong = path_problem(entry["path"])
        if wrong is None and entry["path"] in seen:
            wrong = "is given twice"
        if wrong:
            raise UserError(f"{where}: {entry['path']!r} {wrong}; expected distinct relative paths")
        seen.add(entry["path"])
    return sorted(entries, key=lambda entry: entry["path"])
