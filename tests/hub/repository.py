"""A model repository as the Hub keeps it: commits, branches, and who may read it."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field


@functools.lru_cache(maxsize=256)
def sha256(data: bytes) -> str:
    """Returns the hexadecimal digest."""
    return hashlib.sha256(data).hexdigest()


def git_blob_id(data: bytes) -> str:
    """Returns git's name of a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@dataclass
class Repository:
    """A model repository.

    Attributes:
        name: ``org/repo``.
        access: ``public``; ``gated``: anyone may list it; ``private``: it seems not to exist.
        readers: The tokens that may read a gated or private one.
        commits: Content by path, by commit.
        branches: A commit by name.
        lfs_suffixes: Files that are kept in the large storage, by the end of their name.
        xet: Whether large files carry the headers of the Hub's newer storage too.
    """

    name: str
    access: str = "public"
    readers: set[str] = field(default_factory=set)
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    lfs_suffixes: tuple[str, ...] = (".bin",)
    xet: bool = False

    def commit(self, files: Mapping[str, bytes], branch: str = "main") -> str:
        """Makes a branch point to a commit with exactly ``files``; returns its id."""
        text = "".join(f"{path} {git_blob_id(data)}\n" for path, data in sorted(files.items()))
        commit = hashlib.sha1(f"{self.name}\n{text}".encode(), usedforsecurity=False).hexdigest()
        self.commits[commit] = dict(files)
        self.branches[branch] = commit
        return commit

    def find(self, revision: str) -> str | None:
        """Returns the commit of a branch, or ``revision`` itself where it is a commit."""
        return self.branches.get(revision) or (revision if revision in self.commits else None)

    def is_large(self, path: str) -> bool:
        """Whether the file is kept in the large storage."""
        return path.endswith(self.lfs_suffixes)

    def tree(self, commit: str) -> list[dict[str, object]]:
        """Returns the entries of the tree API: folders, then files, by path."""
        files = self.commits[commit]
        folders = {path[:end] for path in files for end in _slashes(path)}
        entries: list[dict[str, object]] = [
            {"type": "directory", "oid": git_blob_id(name.encode()), "size": 0, "path": name}
            for name in sorted(folders)
        ]
        for path, data in sorted(files.items()):
            entry = {"type": "file", "size": len(data), "path": path, "oid": git_blob_id(data)}
            if self.is_large(path):
                pointer = b"oid sha256:%s\n" % sha256(data).encode()
                entry["oid"] = git_blob_id(pointer)
                entry["lfs"] = {
                    "oid": sha256(data),
                    "size": len(data),
                    "pointerSize": len(pointer),
                }
            if self.xet and self.is_large(path):
                entry["xetHash"] = sha256(b"xet" + data)
            entries.append(entry)
        return entries


def _slashes(path: str) -> list[int]:
    return [index for index, character in enumerate(path) if character == "/" and index]
