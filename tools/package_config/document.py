"""A JSON file whose every key and value knows its line and column."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from tools.cli import UserError
from tools.config import positions, strict_json

# A package config needs four levels; the rest is for what an app keeps in the file.
_DEEPEST = 64

_PLAIN_KEY = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*\Z")


class Document:
    """A parsed file.

    Attributes:
        name: What errors call the file.
        value: The parsed JSON.
    """

    def __init__(self, data: bytes, name: str) -> None:
        """Parses ``data``; a UserError says line, column and what is wrong (see `strict_json`)."""
        self.name = name
        self._text = strict_json.decode(data, name)
        self.value: Any = strict_json.loads(self._text, name)
        self._positions = positions.Positions(self._text)
        for path, offset in self._positions.values.items():
            if len(path) > _DEEPEST:
                place = strict_json.place(self._text, offset)
                raise UserError(f"{name}:{place}: nested too deeply; expected a few levels")

    def offset(self, path: positions.Path) -> int:
        """Returns where the value at ``path`` begins; of a missing one, where its parent does."""
        values = self._positions.values
        return values[path] if path in values else values[path[:-1]]

    def key_offset(self, path: positions.Path) -> int:
        """Returns where the key of the member at ``path`` begins."""
        return self._positions.keys[path]

    def where(self, path: positions.Path) -> str:
        """Returns ``<file>:<line>:<column>: <JSON path>`` of a value, or of a missing one."""
        return self._where(path, self.offset(path))

    def where_key(self, path: positions.Path) -> str:
        """Returns the same of a member's key."""
        return self._where(path, self.key_offset(path))

    def _where(self, path: positions.Path, offset: int) -> str:
        return f"{self.name}:{strict_json.place(self._text, offset)}: {json_path(path)}"


def load(path: str | os.PathLike[str], name: str | None = None) -> Document:
    """Reads the file ``path``; errors call it ``name``, or as it was given."""
    return Document(Path(path).read_bytes(), str(path) if name is None else name)


def json_path(path: positions.Path) -> str:
    """Returns ``$.model_list[0].model``; a key of other characters stands in brackets."""
    return "$" + "".join(_part(part) for part in path)


def _part(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    return f".{part}" if _PLAIN_KEY.match(part) else f"[{part!r}]"
