"""mlc-package-config.json: its schema, its mistakes, and what it asks for.

The Python API of the other tools::

    loaded = tools.package_config.load("mlc-package-config.json")
    loaded.config.models[0].overrides      # PackageConfig, every default filled in
    loaded.warnings                        # lines to show
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from tools.package_config import document, mistakes
from tools.package_config.config import Model, PackageConfig, library_name, parse, with_devices
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
