"""Protects docs/api: a page for each file that users load, which says what its docstrings say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.api_docs import markdown, text_proto

API = Path("docs/api")
MODULES = {path.stem: text_proto.parse(path.read_text()) for path in API.glob("*.textproto")}


@pytest.mark.parametrize("name", sorted(MODULES))
def test_page_is_current(name):
    """It is not if a docstring, a default or the name of an attribute has changed since."""
    page = (API / f"{name}.md").read_text()
    assert page == markdown.page(MODULES[name]), "mend it with ./bazelw run //docs/api:update"


def test_no_page_is_left_over():
    assert {path.stem for path in API.glob("*.md")} == MODULES.keys()


def test_every_argument_has_a_type_and_a_meaning():
    for line in markdown.page(MODULES["defs"]).splitlines():
        if line.startswith("| `") and not line.startswith("| `**kwargs`"):
            assert all(cell.strip() for cell in line.strip("|").split(" | ")), line
