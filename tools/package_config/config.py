"""A package config after its checks: every field has a value, every path is absolute."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from tools.package_config import hub_name


@dataclasses.dataclass(frozen=True)
class Model:
    """An entry of ``model_list``.

    Attributes:
        model_id: Unique in the file, letter case ignored.
        repo: ``org/repo`` of the Hub; None for a local model.
        directory: Of a local model; None for one of the Hub.
        estimated_vram_bytes: As given.
        bundle_weight: Whether the weights become part of the package.
        overrides: Fields of the chat config to change; none that leaves the model's own value.
        opt: ``O0`` to ``O3``.
        model_lib: The library's name as given; None where it is made up.
    """

    model_id: str
    repo: str | None
    directory: Path | None
    estimated_vram_bytes: int
    bundle_weight: bool
    overrides: dict[str, Any]
    opt: str
    model_lib: str | None


@dataclasses.dataclass(frozen=True)
class PackageConfig:
    """The file.

    Attributes:
        devices: One or more, in the order of the file.
        models: One or more, in the order of the file.
        libraries: Hand-compiled libraries by `library_name`.
    """

    devices: tuple[str, ...]
    models: tuple[Model, ...]
    libraries: dict[str, Path]

    def to_json(self) -> dict[str, Any]:
        """Returns the config as JSON, paths as strings."""
        models = [
            {**dataclasses.asdict(m), "directory": m.directory and str(m.directory)}
            for m in self.models
        ]
        libraries = {name: str(path) for name, path in self.libraries.items()}
        return {"devices": list(self.devices), "models": models, "libraries": libraries}


def parse(value: dict[str, Any], base: Path) -> PackageConfig:
    """Returns the config of a value without mistakes.

    Args:
        value: What `mistakes.check` let pass.
        base: The directory that relative paths begin at.
    """
    device = value["device"]
    libraries = value.get("model_lib_path_for_prepare_libs", {})
    return PackageConfig(
        devices=(device,) if isinstance(device, str) else tuple(device),
        models=tuple(_model(entry, base) for entry in value["model_list"]),
        libraries={library_name(name): base / path for name, path in libraries.items()},
    )


def library_name(model_lib: str) -> str:
    """Returns what symbols of the library begin with; the runtime maps the same characters."""
    return model_lib.replace("-", "_")


def effective(overrides: dict[str, Any]) -> dict[str, Any]:
    """Returns the overrides that change something: null and -1 do not, and no ``opt`` is O2."""
    given = {name: value for name, value in overrides.items() if value not in (None, -1)}
    return {"opt": "O2", **given}


def _model(entry: dict[str, Any], base: Path) -> Model:
    repo = hub_name.repo(entry["model"])
    overrides = effective(entry.get("overrides", {}))
    return Model(
        model_id=entry["model_id"],
        repo=repo,
        directory=None if repo is not None else base / entry["model"],
        estimated_vram_bytes=int(entry["estimated_vram_bytes"]),
        bundle_weight=entry.get("bundle_weight", False),
        overrides={name: _whole(value) for name, value in overrides.items() if name != "opt"},
        opt=overrides["opt"],
        model_lib=entry.get("model_lib"),
    )


def _whole(value: Any) -> Any:
    """Returns 4096 for 4096.0, which JSON schemas take for an integer, too."""
    return int(value) if isinstance(value, float) else value
