"""The nearest known name for a name that is not known."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Returns the known name most like ``name``, case ignored, or None where none is close."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None


def hint(name: str, known: Iterable[str]) -> str:
    """Returns the end of an error message: the nearest name, if any, and all known ones."""
    names = sorted(known)
    close = nearest(name, names)
    listing = ", ".join(names)
    return f"did you mean {close}? (known: {listing})" if close else f"expected one of {listing}"


def within_edits(name: str, known: Iterable[str], most: int) -> str | None:
    """Returns the known name that ``most`` edits or fewer turn ``name`` into, case ignored.

    An edit inserts, removes or replaces a character; of several names the nearest is returned.
    """
    near = min((_edits(name.lower(), other.lower()), other) for other in known)
    return near[1] if near[0] <= most else None


def _edits(one: str, other: str) -> int:
    """Returns the Levenshtein distance."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one):
        last, row = row, [i + 1]
        for j, b in enumerate(other):
            row.append(min(last[j] + (a != b), last[j + 1] + 1, row[j] + 1))
    return row[-1]
