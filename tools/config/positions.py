"""Where the keys and values of a JSON document stand, for messages about their contents."""

from __future__ import annotations

import json

from tools.config.strict_json import TOKEN

Path = tuple[str | int, ...]
"""From the document's value to one inside: keys of objects and indices of arrays."""


class Positions:
    """Offsets into a document that `strict_json.loads` accepts.

    Attributes:
        values: Where the value at each path begins; the document's own is at ``()``.
        keys: Where the key of each member of an object begins, by the member's path.
    """

    def __init__(self, text: str) -> None:
        self.values: dict[Path, int] = {}
        self.keys: dict[Path, int] = {}
        # Of each open array or object the index or key that is being read; None before a key.
        parts: list[str | int | None] = []
        objects: list[bool] = []
        for match in TOKEN.finditer(text):
            token = match.group()
            if token in "]}":
                parts.pop()
                objects.pop()
            elif token == ",":
                parts[-1] = None if objects[-1] else parts[-1] + 1
            elif parts and parts[-1] is None:
                parts[-1] = json.loads(token)
                self.keys[tuple(parts)] = match.start()
            elif token != ":":
                self.values[tuple(parts)] = match.start()
                if token in "[{":
                    objects.append(token == "{")
                    parts.append(None if objects[-1] else 0)
