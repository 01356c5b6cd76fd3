"""What `starlark_doc_extract` writes: a protocol buffer as text, whose fields say their names."""

from __future__ import annotations

import ast
import re
from typing import Any

Message = dict[str, list[Any]]
"""Name of a field -> its values: strings, booleans, names of enums, messages."""

_TOKEN = re.compile(r'\s*(?:([{}:])|("(?:[^"\\\n]|\\.)*")|([A-Za-z_]\w*))')


def parse(text: str) -> Message:
    """Returns the message; fields that have no value are not in it.

    Raises:
        ValueError: The text is none.
    """
    tokens = ["{"]
    end = len(text.rstrip())
    position = 0
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            line = text.count("\n", 0, position) + 1
            raise ValueError(f"line {line}: not a text proto")
        tokens.append(match.group().lstrip())
        position = match.end()
    rest = [*reversed([*tokens, "}"])]
    message = _message(rest)
    if rest:
        raise ValueError("a } too many")
    return message


def text_of(message: Message, field: str) -> str:
    """Returns a field's string; an empty one where there is none."""
    return message.get(field, [""])[0]


def _message(rest: list[str]) -> Message:
    """Takes a message off the end of the reversed tokens."""
    result: Message = {}
    if rest.pop() != "{":
        raise ValueError("expected {")
    while rest and rest[-1] != "}":
        name = rest.pop()
        if rest[-1] == ":":
            rest.pop()
            result.setdefault(name, []).append(_scalar(rest.pop()))
        else:
            result.setdefault(name, []).append(_message(rest))
    if not rest:
        raise ValueError("a message without its end")
    rest.pop()
    return result


def _scalar(token: str) -> str | bool:
    if token.startswith('"'):
        # C's escapes, which are Python's; bytes above 127 are among them.
        return ast.literal_eval("b" + token).decode("utf-8")
    return {"true": True, "false": False}.get(token, token)
