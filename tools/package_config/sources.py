"""The distinct models of a package config: several entries may be of one."""

from __future__ import annotations

import re
from pathlib import Path, PurePath

from tools.package_config.config import Model, PackageConfig

Source = Path | str
"""The directory of a local model, or ``org/repo`` of one of the Hub."""


def source_of(model: Model) -> Source:
    """Returns where the model of an entry is."""
    return model.directory or model.repo or ""


def names(config: PackageConfig) -> dict[Source, str]:
    """Returns each model of the config with a name, in the order of the entries.

    A name is made of the last part of the directory or repository. It has letters, digits, ``_``,
    ``-``, ``+`` and ``.`` only, and differs from the others in more than letter case.
    """
    result: dict[Source, str] = {}
    taken: set[str] = set()
    for source in dict.fromkeys(map(source_of, config.models)):
        last = PurePath(source).name
        name = re.sub(r"[^A-Za-z0-9_.+-]+", "_", last).strip("._") or "model"
        while name.lower() in taken:
            name += "_"
        taken.add(name.lower())
        result[source] = name
    return result
