"""Which files of a repository a lock takes: globs as huggingface_hub's allow_patterns has them."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence

from tools.cli import UserError


def select(
    repo: str, paths: Iterable[str], include: Sequence[str], exclude: Sequence[str]
) -> set[str]:
    """Returns the paths that match a pattern of ``include`` and none of ``exclude``.

    Args:
        repo: The repository that errors name.
        paths: Relative to the repository.
        include: Globs in which ``*`` also matches ``/``; a trailing ``/`` means all below it.
            Empty: every path.
        exclude: The like.

    Raises:
        UserError: A pattern of ``include`` matches nothing, or nothing is left.
    """
    every = set(paths)
    found: set[str] = set() if include else every
    for pattern in include:
        matching = _matching(every, pattern)
        if not matching:
            raise UserError(
                f"{repo}: --include {pattern} matches none of its {len(every)} files; "
                "correct the pattern"
            )
        found |= matching
    found = found.difference(*(_matching(found, pattern) for pattern in exclude))
    if not found:
        raise UserError(f"{repo}: no file is left of {len(every)}; exclude fewer")
    return found


def _matching(paths: Iterable[str], pattern: str) -> set[str]:
    glob = pattern + "*" if pattern.endswith("/") else pattern
    return {path for path in paths if fnmatch.fnmatchcase(path, glob)}
