"""Results of earlier requests, so that what is asked for twice is made once."""

from __future__ import annotations

import collections
import dataclasses
from pathlib import Path

from tools import cli

CAPACITY = 128 << 20
"""Bytes of outputs that are kept; a library for a phone has 1 to 3 million."""


@dataclasses.dataclass(frozen=True)
class Result:
    """What a successful request wrote: the outputs' bytes in the order of its arguments."""

    output: str
    files: tuple[bytes, ...]

    def write(self, paths: list[Path]) -> None:
        """Writes the files under other names."""
        for path, data in zip(paths, self.files, strict=True):
            cli.write_bytes(path, data)


class Results:
    """The results used last, of at most `capacity` bytes."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._results: collections.OrderedDict[str, Result] = collections.OrderedDict()

    def find(self, fingerprint: str | None) -> Result | None:
        """Returns the result of an equal request, if it is still here."""
        if fingerprint not in self._results:
            return None
        self._results.move_to_end(fingerprint)
        return self._results[fingerprint]

    def add(self, fingerprint: str, output: str, paths: list[Path]) -> Result | None:
        """Keeps what a request wrote to `paths` and printed; forgets what was used longest ago.

        Returns None where the files are gone already.
        """
        try:
            result = Result(output, tuple(path.read_bytes() for path in paths))
        except OSError:
            return None
        self._results[fingerprint] = result
        while sum(map(_size, self._results.values())) > self._capacity:
            self._results.popitem(last=False)
        return result


def _size(result: Result) -> int:
    return sum(map(len, result.files))
