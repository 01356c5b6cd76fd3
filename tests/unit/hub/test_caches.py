"""A file that lies on this machine is used without a request, and only if it is the right one."""

from __future__ import annotations

import os

import pytest

from tests.hub.repository import git_blob_id, sha256
from tests.unit.hub.conftest import FILES, REPO, SHARD

DATA = FILES[SHARD]
FOLDER = "models--" + REPO.replace("/", "--")


def _put(path, data=DATA):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _fetched_without_a_request(commands, hub, *arguments, **changes):
    result = commands.fetch(*arguments, **changes)
    assert (result.status, result.out, result.err) == (0, "", "")
    assert not hub.requests
    assert commands.leftovers() == []
    return commands.output.read_bytes()


@pytest.mark.parametrize(
    ("variable", "value", "hub_cache"),
    [
        ("HF_HOME", "hf", "hf/hub"),
        ("HF_HUB_CACHE", "elsewhere", "elsewhere"),
        ("XDG_CACHE_HOME", "xdg", "xdg/huggingface/hub"),
        ("HF_XET_HIGH_PERFORMANCE", "0", "home/.cache/huggingface/hub"),
    ],
)
@pytest.mark.parametrize("folder", [FOLDER, "models--someone--else"])
def test_blob_of_the_huggingface_cache(
    commands, hub, tmp_path, monkeypatch, variable, value, hub_cache, folder
):
    monkeypatch.setenv(variable, str(tmp_path / value))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    _put(tmp_path / hub_cache / folder / "blobs" / sha256(DATA))
    assert _fetched_without_a_request(commands, hub) == DATA


def test_small_file_of_a_snapshot(commands, hub, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    path = "tokenizer/merges.txt"
    data = FILES[path]
    folder = tmp_path / "hub" / FOLDER
    blob = _put(folder / "blobs" / git_blob_id(data), data)
    link = folder / "snapshots" / commands.file["commit"] / path
    link.parent.mkdir(parents=True)
    link.symlink_to(blob)
    changes = {"path": path, "sha256": sha256(data), "nbytes": len(data)}
    assert _fetched_without_a_request(commands, hub, **changes) == data
    assert not commands.output.is_symlink()


def test_list_of_read_only_caches(commands, hub, tmp_path, monkeypatch):
    lists = os.pathsep.join(["", str(tmp_path / "none"), str(tmp_path / "cache")])
    monkeypatch.setenv("MLC_LLM_READONLY_WEIGHT_CACHE", lists)
    _put(tmp_path / "cache" / "hf" / REPO / SHARD)
    assert _fetched_without_a_request(commands, hub) == DATA


def test_cache_dir(commands, hub, tmp_path):
    _put(tmp_path / "b" / "hf" / REPO / SHARD)
    arguments = ["--cache-dir", tmp_path / "a", "--cache-dir", tmp_path / "b"]
    assert _fetched_without_a_request(commands, hub, *arguments) == DATA


@pytest.mark.parametrize("wrong", [DATA[:-1], DATA[:-1] + bytes([DATA[-1] ^ 1]), b""])
def test_other_bytes_are_not_used(commands, hub, tmp_path, wrong):
    cached = _put(tmp_path / "cache" / "hf" / REPO / SHARD, wrong)
    result = commands.fetch("--cache-dir", tmp_path / "cache")
    assert (result.status, result.err) == (0, "")
    assert commands.output.read_bytes() == DATA
    assert len(hub.asked("storage")) == 1
    assert cached.read_bytes() == wrong, "a cache is read only"
    assert commands.leftovers() == []


def test_broken_caches_are_passed_over(commands, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HOME", str(_put(tmp_path / "file", b"")))
    folder = tmp_path / "cache" / "hf" / REPO
    (folder / SHARD).mkdir(parents=True)
    loop = tmp_path / "loop" / "hf" / REPO / SHARD
    loop.parent.mkdir(parents=True)
    loop.symlink_to(loop)
    arguments = ["--cache-dir", tmp_path / "cache", "--cache-dir", tmp_path / "loop"]
    assert commands.fetch(*arguments).status == 0
    assert commands.output.read_bytes() == DATA
