"""Bazel's worker protocol, its JSON form: what comes in and what goes out, a line each."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Request:
    """A WorkRequest.

    Attributes:
        arguments: The tool's arguments.
        digests: Digest of each input by its path; a directory has none.
        request_id: 0 where the worker gets one request at a time.
        cancel: Whether this asks to end the request of that id.
    """

    arguments: tuple[str, ...]
    digests: dict[str, str]
    request_id: int
    cancel: bool

    @classmethod
    def parse(cls, line: bytes) -> Request:
        """Returns the request of a line."""
        value = json.loads(line)
        inputs = value.get("inputs", [])
        return cls(
            arguments=tuple(value.get("arguments", [])),
            digests={item["path"]: item["digest"] for item in inputs if item.get("digest")},
            request_id=value.get("requestId", 0),
            cancel=value.get("cancel", False),
        )

    def outputs(self, options: tuple[str, ...]) -> list[Path]:
        """Returns the values of the options that name outputs."""
        named = zip(self.arguments, self.arguments[1:], strict=False)
        return [Path(value) for option, value in named if option in options]

    def fingerprint(self, output_options: tuple[str, ...]) -> str:
        """Returns the same text for requests that differ in the names of files alone.

        Inputs count by their bytes, those that no argument names by their paths, too; outputs by
        their suffix.

        Args:
            output_options: The options whose values are outputs.
        """
        parts: list[Any] = []
        for previous, argument in zip(("", *self.arguments), self.arguments, strict=False):
            if previous in output_options:
                parts.append(["output", Path(argument).suffix])
            elif argument in self.digests:
                parts.append(["input", self.digests[argument]])
            else:
                parts.append(["argument", argument])
        # The file of the arguments is an input, too.
        others = {path for path in self.digests if not path.endswith(".params")}
        others.difference_update(self.arguments)
        parts.append(sorted((path, self.digests[path]) for path in others))
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def response(request_id: int, exit_code: int, output: str, *, cancelled: bool = False) -> bytes:
    """Returns the line of a WorkResponse."""
    value: dict[str, Any] = {"exitCode": exit_code, "output": output, "requestId": request_id}
    if cancelled:
        value["wasCancelled"] = True
    return json.dumps(value).encode() + b"\n"
