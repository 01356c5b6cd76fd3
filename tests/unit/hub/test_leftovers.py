"""Old leftovers go when a build starts; what somebody uses, or may come back for, stays."""

from __future__ import annotations

import fcntl
import os
import time

import pytest

from tools.hub import leftovers

OLD = time.time() - (leftovers.DAYS + 1) * 24 * 3600


@pytest.fixture
def folder(tmp_path, hub, monkeypatch):
    """The user's cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    made = tmp_path / "cache" / "rules_mlc" / "hub"
    made.mkdir(parents=True)
    return made


def put(folder, name, when=OLD):
    path = folder / name
    path.write_bytes(b"bytes")
    os.utime(path, (when, when))
    return path


def names_after_a_start(commands, folder, tmp_path):
    (tmp_path / "repository").mkdir()
    result = commands.run("environment", "--directory", tmp_path / "repository")
    assert (result.status, result.err) == (0, "")
    return sorted(path.name for path in folder.iterdir())


def test_old_leftovers_are_removed(commands, folder, tmp_path):
    put(folder, ".old.part")
    put(folder, ".young.part", time.time())
    put(folder, "environment-0.json")
    put(folder, ".environment-0.json.00.tmp")
    put(folder, "notes")
    (folder / "gone").symlink_to(tmp_path / "no")
    (folder / "there").symlink_to(tmp_path)
    assert names_after_a_start(commands, folder, tmp_path) == [".young.part", "notes", "there"]


def test_partial_in_use_stays(commands, folder, tmp_path):
    """Its process may have been stopped for weeks."""
    with open(put(folder, ".used.part"), "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert names_after_a_start(commands, folder, tmp_path) == [".used.part"]


def test_no_folder(commands, folder, tmp_path):
    folder.rmdir()
    commands.run("environment", "--directory", tmp_path)
    assert not folder.exists()
