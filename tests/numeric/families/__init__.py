"""A file a family: small models that together have every feature of it, and its reference."""

from __future__ import annotations

import importlib
import os
import pkgutil

from tests.numeric.small_model import SmallModel

FILES: dict[str, dict[str, SmallModel]] = {
    name: importlib.import_module(f"{__name__}.{name}").MODELS
    for name in sorted(module.name for module in pkgutil.iter_modules(__path__))
}
"""``MODELS`` of each file here."""

MODELS: dict[str, SmallModel] = {
    name: model for models in FILES.values() for name, model in models.items()
}
"""All of them, by name."""


def selected() -> dict[str, SmallModel]:
    """Returns the models of the file that MLC_TEST_FAMILY names; all where it is not set."""
    family = os.environ.get("MLC_TEST_FAMILY")
    return FILES[family] if family else MODELS
