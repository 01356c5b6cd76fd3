"""Putting files into a directory safely: atomically, and never through a link."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from tools.weights.bundle import link_or_copy

_CHUNK = 1 << 20  # bytes


def unsafe_parent(dist: Path, path: str) -> str | None:
    """Returns why ``dist/path`` cannot be used, or None.

    Every directory between ``dist`` and the file must be a real one, or not exist yet: through a
    symbolic link the file would land elsewhere.
    """
    parent = dist
    for part in path.split("/")[:-1]:
        parent = parent / part
        try:
            mode = os.lstat(parent).st_mode
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(mode):
            return f"{parent}: is a symbolic link, which an install does not follow; remove it"
        if not stat.S_ISDIR(mode):
            return f"{parent}: is a file, and the package has a directory there; remove it"
    return None


def place(source: Path, target: Path, scratch: Path) -> bool:
    """Puts ``source`` at ``target``; returns True for a hard link, False for a copy.

    Args:
        source: A regular file.
        target: Where it shall be; a file there is replaced, directories are made.
        scratch: A directory on the target's file system, for the temporary name.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = scratch / "file"
    temporary.unlink(missing_ok=True)
    linked = link_or_copy(source, temporary)
    os.replace(temporary, target)
    return linked


def remove(dist: Path, path: str) -> None:
    """Removes the file ``dist/path``, and the directories that this leaves empty."""
    os.unlink(dist / path)
    parts = path.split("/")[:-1]
    with contextlib.suppress(OSError):
        while parts:
            os.rmdir(dist.joinpath(*parts))
            parts.pop()


@contextlib.contextmanager
def scratch_directory(path: Path) -> Iterator[Path]:
    """Makes the directory ``path`` anew, and removes it in the end."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def sha256(path: Path) -> str:
    """Returns the digest of a file's bytes in hexadecimal."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
