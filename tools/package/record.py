"""What an earlier install put into a directory: ``DIST/.rules_mlc/<name>.json``.

The record is what allows a later install to replace and remove files: only what stands in it was
put there by an install. While an install runs, the record holds the files before and after it,
the latter as pending, so that one that was killed is completed by the next.
"""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from tools import cli
from tools.cli import UserError
from tools.config import strict_json

DIRECTORY = ".rules_mlc"


@dataclasses.dataclass(frozen=True)
class Installed:
    """A file that an install put there, or was about to.

    Attributes:
        nbytes: Its size.
        sha256: Its digest.
        stamp: What `stamp` gave when it was installed; None while pending.
    """

    nbytes: int
    sha256: str
    stamp: list[int] | None

    @property
    def pending(self) -> bool:
        """Whether an install was about to write the file, and may not have."""
        return self.stamp is None


def stamp(status: os.stat_result) -> list[int]:
    """Returns what says, without reading a file, that nobody changed it since.

    The inode and the time of its last change, which no program can set: a modification time alone
    may come back, with a clock that is set back or a tool that keeps times.
    """
    return [status.st_ino, status.st_mtime_ns, status.st_ctime_ns]


def read(dist: Path, name: str) -> dict[str, Installed]:
    """Returns the files of the package ``name`` by their paths; empty where there is no record."""
    path = record_path(dist, name)
    try:
        value = strict_json.load(path)
    except FileNotFoundError:
        return {}
    try:
        return {path: Installed(**entry) for path, entry in value["files"].items()}
    except (TypeError, KeyError, AttributeError):
        raise UserError(
            f"{path}: is not a record of an install; remove it, and the files of the package"
        ) from None


def write(dist: Path, name: str, files: dict[str, Installed]) -> None:
    """Replaces the record of the package ``name``."""
    entries: dict[str, Any] = {path: dataclasses.asdict(file) for path, file in files.items()}
    cli.write_json(record_path(dist, name), {"files": entries, "name": name})


def owners(dist: Path, name: str) -> dict[str, str]:
    """Returns which other package each installed path belongs to."""
    result = {}
    for path in sorted((dist / DIRECTORY).glob("*.json")):
        if path.stem != name:
            result.update(dict.fromkeys(read(dist, path.stem), path.stem))
    return result


def record_path(dist: Path, name: str) -> Path:
    """Returns the file of the record."""
    return dist / DIRECTORY / f"{name}.json"
