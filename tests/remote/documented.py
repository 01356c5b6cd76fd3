"""Configurations that docs/remote.md shows, as they stand there."""

from __future__ import annotations

import pathlib
import re

_PAGE = pathlib.Path(__file__).absolute().parents[2] / "docs" / "remote.md"


def documented(language: str) -> str:
    """The one block of a language."""
    blocks = rf"^```{language}\n(.*?)^```$"
    (block,) = re.findall(blocks, _PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return block
