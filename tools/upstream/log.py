"""Upstream's output as a log that is the same in every run, and the line that says what failed."""

from __future__ import annotations

import re

_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_TIME = re.compile(r"^\[(?:\d{4}-\d\d-\d\d )?\d\d:\d\d:\d\d\] ", re.MULTILINE)
_EXCEPTION = re.compile(r"^(?:\w+\.)*\w*(?:Error|Exception|Exit|Interrupt)\b.*")

# What a message of TVM means to whoever wrote the build file.
_MEANINGS = (
    (
        "ffi.SmallStr",
        "its TVM cannot read a model_lib of less than 7 characters; give a longer one",
    ),
    ("No module named", "its environment lacks a package"),
)


def clean(output: str, scratch: str) -> str:
    """Returns the output without colors, times and the path of the scratch directory."""
    return _TIME.sub("", _COLOR.sub("", output)).replace(scratch, "")


def reason(output: str) -> str:
    """Returns what went wrong: the exception of the last traceback, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    found = [line for line in lines if _EXCEPTION.match(line)] or lines or ["it said nothing"]
    for mark, meaning in _MEANINGS:
        if mark in found[-1]:
            return f"{meaning} ({found[-1]})"
    return found[-1]
