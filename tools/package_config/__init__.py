"""mlc-package-config.json: its schema, its mistakes, and what it asks for.

The Python API of the other tools::

    loaded = tools.package_config.load("mlc-package-config.json")
    loaded.config.models[0].overrides      # PackageConfig, every default filled in
    loaded.warnings                        # lines to show
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Sequence
from pathlib import Path

from tools.cli import UserError
from tools.config.suggest import hint
from tools.package_config import document, mistakes
from tools.package_config.config import Model, PackageConfig, library_name, parse
from tools.package_config.on_disk import model_files

__all__ = [
    "Loaded",
    "Model",
    "PackageConfig",
    "library_name",
    "load",
    "model_files",
    "with_devices",
]


def with_devices(config: PackageConfig, devices: Sequence[str]) -> PackageConfig:
    """Returns the config for these devices; for those of the file where there are none.

    Raises:
        UserError: There is no such device.
    """
    known = mistakes.devices()
    for device in devices:
        if device not in known:
            raise UserError(f'device: there is no "{device}"; {hint(device, known)}')
    return dataclasses.replace(config, devices=tuple(dict.fromkeys(devices)) or config.devices)


@dataclasses.dataclass(frozen=True)
class Loaded:
    """A config without mistakes, and what its author should know of it."""

    config: PackageConfig
    warnings: list[str]


def load(
    path: str | os.PathLike[str],
    *,
    name: str | None = None,
    directory: str | os.PathLike[str] | None = None,
    strict: bool = False,
) -> Loaded:
    """Reads and checks a package config.

    Args:
        path: The file.
        name: What messages call it; as given where None.
        directory: Where relative paths in it begin; at its own directory where None.
        strict: Whether every unknown key is an error.

    Raises:
        UserError: One line for each mistake: ``<file>:<line>:<column>: <JSON path>: <message>``.
    """
    base = Path(os.path.abspath(Path(path).parent if directory is None else directory))
    read = document.load(path, name)
    warnings = mistakes.check(read, base, strict)
    return Loaded(parse(read.value, base), warnings)
