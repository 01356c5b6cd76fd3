"""Protects downloads: only right bytes are kept, and nothing is fetched twice."""

from __future__ import annotations

import errno
import hashlib

import pytest

from tools.bazel import disk
from tools.bazel.download import ATTEMPTS, Downloader, GoneError, Item
from tools.bazel.errors import LauncherError

BODY = bytes(range(256)) * 2000
PATH = "pool/main/t/thing/thing_1+2_all.deb"


@pytest.fixture
def thing(mirror) -> Item:
    mirror.files[PATH] = BODY
    return Item("thing", PATH, len(BODY), hashlib.sha256(BODY).hexdigest())


@pytest.fixture
def counted() -> list[int]:
    return []


@pytest.fixture
def fetch(mirror, tmp_path, thing, counted, no_waiting):
    """Downloads the thing from the mirrors given, or from the one there is."""

    def fetch(*mirrors: str) -> bytes:
        downloader = Downloader(mirrors or [mirror.url], tmp_path)
        files = downloader.fetch_all([thing], lambda _, nbytes: counted.append(nbytes))
        return files["thing"].read_bytes()

    return fetch


def test_the_bytes_are_those_of_the_mirror_and_all_are_counted(fetch, counted):
    assert fetch() == BODY
    assert sum(counted) == len(BODY)


def test_what_is_here_is_not_fetched_again(fetch, mirror, counted):
    fetch()
    counted.clear()
    assert fetch() == BODY
    assert mirror.offsets(PATH) == [0]
    assert sum(counted) == len(BODY)


def test_a_file_that_was_damaged_here_is_fetched_again(fetch, thing, tmp_path):
    fetch()
    (tmp_path / thing.sha256).write_bytes(BODY[:-1] + b"?")
    assert fetch() == BODY


@pytest.mark.parametrize("fault", ["truncated", "reset"])
def test_a_connection_that_ends_early_is_resumed(fetch, mirror, counted, fault):
    mirror.faults[PATH] = [fault]
    assert fetch() == BODY
    first, second = mirror.offsets(PATH)
    assert first == 0
    assert 0 < second <= len(BODY) // 2
    assert sum(counted) == len(BODY)


def test_an_interrupted_download_of_another_process_is_resumed(fetch, mirror, thing, tmp_path):
    (tmp_path / f"{thing.sha256}.part").write_bytes(BODY[:1000])
    assert fetch() == BODY
    assert mirror.offsets(PATH) == [1000]


def test_a_download_that_was_killed_before_its_last_step_is_used(fetch, mirror, thing, tmp_path):
    (tmp_path / f"{thing.sha256}.part").write_bytes(BODY)
    assert fetch() == BODY
    assert mirror.requests == []


def test_a_half_file_of_wrong_bytes_is_dropped(fetch, mirror, thing, tmp_path, counted):
    (tmp_path / f"{thing.sha256}.part").write_bytes(b"?" * 1000)
    assert fetch() == BODY
    assert mirror.offsets(PATH) == [1000, 0]
    assert sum(counted) == len(BODY)


def test_a_mirror_that_cannot_resume_sends_all_of_it(fetch, mirror, thing, tmp_path, monkeypatch):
    (tmp_path / f"{thing.sha256}.part").write_bytes(BODY[:1000])
    without_range = Downloader._open
    monkeypatch.setattr(Downloader, "_open", lambda self, url, offset=0: without_range(self, url))
    assert fetch() == BODY


def test_a_busy_mirror_is_asked_again(fetch, mirror):
    mirror.faults[PATH] = ["refused"] * (ATTEMPTS - 1)
    assert fetch() == BODY


def test_a_mirror_that_refuses_is_no_broken_network(fetch, mirror):
    mirror.faults[PATH] = ["refused"] * ATTEMPTS
    with pytest.raises(LauncherError, match=r"^refused: http.*: HTTP 503 .* set MLC_DEBIAN_MIRROR"):
        fetch()


def test_wrong_bytes_are_never_kept(fetch, mirror, tmp_path):
    mirror.faults[PATH] = ["corrupt"] * ATTEMPTS
    with pytest.raises(LauncherError, match=r"^sha256 mismatch: .*thing_1%2B2_all\.deb"):
        fetch()
    assert list(tmp_path.iterdir()) == []


def test_the_next_mirror_is_asked_when_one_has_wrong_bytes_or_none(fetch, mirror):
    mirror.faults[PATH] = ["corrupt"] * ATTEMPTS + ["missing"]
    assert fetch("http://127.0.0.1:9/debian", mirror.url, mirror.url, mirror.url) == BODY


def test_gone_from_every_mirror_is_told_apart_from_unreachable(fetch, mirror):
    del mirror.files[PATH]
    with pytest.raises(GoneError, match="thing_1"):
        fetch(mirror.url, mirror.url)
    with pytest.raises(LauncherError, match=r"^no network: "):
        fetch("http://127.0.0.1:9/debian", mirror.url)


def test_a_full_disk_is_one_clear_line(fetch, monkeypatch, tmp_path):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(LauncherError, match=r"^disk full: .*No space left on device; make room"):
        fetch()


def test_too_little_room_is_found_before_anything_is_fetched(tmp_path):
    disk.check_free(tmp_path, 1)
    with pytest.raises(LauncherError, match=r"^disk full: .* MB are needed"):
        disk.check_free(tmp_path, 10**18)


def test_what_is_missing_is_known_beforehand(mirror, thing, tmp_path):
    downloader = Downloader([mirror.url], tmp_path)
    assert downloader.missing_bytes([thing]) == len(BODY)
    (tmp_path / f"{thing.sha256}.part").write_bytes(BODY[:1000])
    assert downloader.missing_bytes([thing]) == len(BODY) - 1000


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LauncherError, match=r"cannot be created: .*set MLC_CACHE_HOME"):
        disk.make_folder(tmp_path / "file/folder")
