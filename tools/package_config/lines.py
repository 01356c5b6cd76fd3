"""Lines of a report about a file, sorted by where in the file they belong."""

from __future__ import annotations


class Lines:
    """Collects lines in any order."""

    def __init__(self) -> None:
        self._lines: list[tuple[int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, offset: int, line: str) -> None:
        """Adds a line about what stands at ``offset`` of the file."""
        self._lines.append((offset, line))

    def in_order(self) -> list[str]:
        """Returns the lines in the order of the file."""
        return [line for _, line in sorted(self._lines, key=lambda entry: entry[0])]
