"""Room on the disk, and one clear line where it runs out."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from .errors import LauncherError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_MEND = "make room, or set MLC_CACHE_HOME to a folder on another disk, and run again"


def make_folder(folder: Path) -> None:
    """Creates a folder and its parents.

    Raises:
        LauncherError: That failed.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LauncherError(
            f"the cache folder {folder} cannot be created: {error.strerror};"
            " set MLC_CACHE_HOME to a folder that can be written"
        ) from None


def remove_folder(folder: Path) -> None:
    """Removes a folder as far as it can, also what Bazel made read-only in it."""
    for path, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            os.chmod(path, 0o700)
    shutil.rmtree(folder, ignore_errors=True)


def check_free(folder: Path, needed: int) -> None:
    """Checks that the file system of ``folder`` has ``needed`` bytes left.

    Raises:
        LauncherError: It has less.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise LauncherError(
            f"disk full: {folder} has {free / 1e6:.0f} MB free,"
            f" {needed / 1e6:.0f} MB are needed; {_MEND}"
        )


@contextlib.contextmanager
def full_is_clear(path: Path) -> Iterator[None]:
    """Turns "no space left" and its like, inside the ``with`` block, into a clear line.

    Raises:
        LauncherError: The disk, or the user's share of it, is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise LauncherError(
            f"disk full: writing {error.filename or path}: {error.strerror}; {_MEND}"
        ) from None
