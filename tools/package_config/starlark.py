"""Starlark text as buildifier formats it."""

from __future__ import annotations

import json
from typing import Any

# Attributes that stand before and after the others, which are in alphabetical order.
_FIRST = ("name", "srcs")
_LAST = ("visibility",)


class Block(str):
    """A text of several lines without backslashes, which is shown as it is."""


def call(function: str, **arguments: Any) -> str:
    """Returns a call at the top level, with one argument a line; those that are None are left out.

    Args:
        function: A rule, or another function.
        arguments: Strings, booleans, integers, and lists and dicts of them.
    """
    given = {name: value for name, value in arguments.items() if value is not None}
    lines = [f"    {name} = {literal(given[name], 1)},\n" for name in sorted(given, key=_order)]
    return f"{function}(\n{''.join(lines)})\n"


def literal(value: Any, indent: int = 0) -> str:
    """Returns an expression; lists and dicts of several entries have one on each line.

    Args:
        value: A string, boolean or integer, or a list or dict of them.
        indent: How many levels the line is indented that the expression begins on.
    """
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, Block):
        return f'"""{value}"""'
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        entries = [literal(entry, indent + 1) for entry in value]
        brackets = "[]"
    elif isinstance(value, dict):
        entries = [f"{literal(k)}: {literal(v, indent + 1)}" for k, v in value.items()]
        brackets = "{}"
    else:
        return str(value)
    if len(entries) < 2:
        return brackets[0] + "".join(entries) + brackets[1]
    inner, outer = "    " * (indent + 1), "    " * indent
    lines = "".join(f"{inner}{entry},\n" for entry in entries)
    return f"{brackets[0]}\n{lines}{outer}{brackets[1]}"


def _order(name: str) -> tuple[int, str]:
    if name in _FIRST:
        return _FIRST.index(name), ""
    return len(_FIRST) + (name in _LAST), name
