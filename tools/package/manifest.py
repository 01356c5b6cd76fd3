"""package-manifest.json: the files of a package, with their sizes and digests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tools.cli import UserError
from tools.config import strict_json
from tools.config.plain_name import path_problem

NAME = "package-manifest.json"
"""Its name in the package."""


def load(manifest: Path) -> dict[str, Any]:
    """Returns a manifest; each of its ``files`` has ``path``, ``nbytes`` and ``sha256``.

    Raises:
        UserError: It is none, or a path leaves the package.
    """
    value = strict_json.load(manifest)
    files = value.get("files") if isinstance(value, dict) else None
    if not isinstance(files, list) or not all(map(_is_file, files)):
        raise UserError(f"{manifest}: is not a package manifest; expected an object with files")
    for file in files:
        wrong = path_problem(file["path"])
        if wrong:
            raise UserError(
                f"{manifest}: the path {file['path']!r} {wrong}; build the package again"
            )
    return value


def _is_file(value: Any) -> bool:
    fields = value if isinstance(value, dict) else {}
    types = {"path": str, "nbytes": int, "sha256": str}
    return all(isinstance(fields.get(name), kind) for name, kind in types.items())
