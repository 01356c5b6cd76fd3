"""What broken-off runs left in the user's folders, and nobody came back for."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path

DAYS = 14
"""Days after its last use for which a file waits for the run that goes on with it."""

# The temporary names are those of a process that was killed before it gave a file its own.
_PATTERNS = (".*.part", ".*.tmp", "environment-*")


def remove(directory: Path) -> None:
    """Removes old partial downloads, variables of builds long past, and links that lead nowhere.

    A lock that has moved on never asks for what a build of the old one had begun. What another
    process has locked stays; so does everything that is not ours.

    Args:
        directory: The ``partial_dir`` of `tools.hub.fetch.fetch`, or where `user_environment.keep`
            has private files; need not exist.
    """
    oldest = time.time() - DAYS * 24 * 3600
    for pattern in _PATTERNS:
        for path in directory.glob(pattern):
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime < oldest:
                    _remove_unless_in_use(path)
    for path in directory.glob("*"):
        with contextlib.suppress(OSError):
            if path.is_symlink() and not path.exists():
                path.unlink()


def _remove_unless_in_use(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(fd)
