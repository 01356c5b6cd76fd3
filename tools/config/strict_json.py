"""Reads JSON of which nothing has to be guessed: RFC 8259 in UTF-8, each key once, finite numbers.

Python's reader accepts more: a repeated key (the last wins), NaN and Infinity. Both hide a
mistake in a file that decides what ships, so here they are errors with a line and a column.
"""

from __future__ import annotations

import itertools
import json
import math
import re
from pathlib import Path
from typing import Any, NoReturn

from tools.cli import UserError

# Enough for any size or date, and far below the point where reading an integer gets slow.
_LONGEST_INTEGER = 100

TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]:,]|[^\s{}\[\]:,"]+')
"""A token of a document that `loads` accepts: a string, a bracket, ``:``, ``,`` or a literal."""


def load(path: str | Path) -> Any:
    """Reads the JSON file ``path``; a UserError names it as it was given."""
    return loads(Path(path).read_bytes(), str(path))


def loads(data: bytes | str, where: str) -> Any:
    """Reads one JSON document.

    Args:
        data: The document; bytes must be UTF-8 without a byte order mark.
        where: What the error calls the document: a file's name, or a target and attribute.

    Raises:
        UserError: ``<where>:<line>:<column>: <what is wrong>; <how to mend it>``.
    """
    text = decode(data, where) if isinstance(data, bytes) else data
    try:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        _fail(where, text, *_explain(text, error))
    except _DuplicateKeyError:
        position, key = _first_duplicate(text)
        _fail(where, text, position, f"the key {key} appears twice in one object; keep one of them")
    except _NumberError as error:
        token = error.token
        _fail(
            where,
            text,
            next(match.start() for match in TOKEN.finditer(text) if match.group() == token),
            f"{token[:20]} is not a number that JSON can hold; write a finite number",
        )
    except RecursionError:
        raise UserError(f"{where}: nested too deeply; expected a few levels") from None


class _DuplicateKeyError(Exception):
    pass


class _NumberError(Exception):
    def __init__(self, token: str) -> None:
        super().__init__(token)
        self.token = token


def decode(data: bytes, where: str) -> str:
    """Returns the text of a document, which must be UTF-8 without a byte order mark."""
    if data.startswith(b"\xef\xbb\xbf"):
        raise UserError(f"{where}:1:1: starts with a byte order mark; save it as UTF-8 without one")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise UserError(
            f"{where}:{line}:{column}: byte 0x{data[error.start]:02x} is not UTF-8; "
            "save the file as UTF-8"
        ) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _DuplicateKeyError
    return result


def _refuse(token: str) -> NoReturn:
    raise _NumberError(token)


def _finite(token: str) -> float:
    value = float(token)
    return value if math.isfinite(value) else _refuse(token)


def _integer(token: str) -> int:
    return int(token) if len(token) <= _LONGEST_INTEGER else _refuse(token)


def _explain(text: str, error: json.JSONDecodeError) -> tuple[int, str]:
    """Returns the position and the text of a syntax error, alike in every version of Python."""
    rest = text[error.pos :].lstrip()
    before = text[: error.pos].rstrip()
    if not text.strip():
        return 0, "is empty; expected a JSON document"
    if rest.startswith(("//", "/*", "#")):
        return len(text) - len(rest), "JSON has no comments; remove it"
    if rest.startswith(("}", "]")) and before.endswith(","):
        return len(before) - 1, "a comma before the closing bracket; remove it"
    if rest.startswith(",") and rest[1:].lstrip().startswith(("}", "]")):
        return error.pos, "a comma before the closing bracket; remove it"
    if rest.startswith("'"):
        return error.pos, "a single quote; JSON strings stand in double quotes"
    if not rest:
        return error.pos, "the document ends too early; is a closing bracket missing?"
    return error.pos, f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}; correct the syntax there"


def _first_duplicate(text: str) -> tuple[int, str]:
    """Returns where a key is given for the second time, and the key as it is written."""
    keys: list[set[str]] = []
    for match, following in itertools.pairwise(TOKEN.finditer(text)):
        token = match.group()
        if token in "{[":
            keys.append(set())
        elif token in "}]":
            keys.pop()
        elif token.startswith('"') and following.group() == ":":
            key = json.loads(token)
            if key in keys[-1]:
                return match.start(), token
            keys[-1].add(key)
    raise AssertionError("called for a text without a repeated key")


def place(text: str, position: int) -> str:
    """Returns ``<line>:<column>`` of the character at ``position``, both counted from 1."""
    return f"{text.count(chr(10), 0, position) + 1}:{position - text.rfind(chr(10), 0, position)}"


def _fail(where: str, text: str, position: int, message: str) -> NoReturn:
    raise UserError(f"{where}:{place(text, position)}: {message}") from None
