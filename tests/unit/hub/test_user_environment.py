"""What the user set reaches a process that a build starts, and secrets reach nobody else."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tests.unit.hub.conftest import FILES, SHARD, TOKEN
from tools.hub import leftovers

PROXY = "http://user:password@127.0.0.1:9"


@pytest.fixture(params=["runtime", "cache"])
def place(request, hub, tmp_path, monkeypatch):
    """Where the private file belongs."""
    if request.param == "runtime":
        (tmp_path / "run").mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
        return tmp_path / "run" / "rules_mlc"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "none"))
    return tmp_path / "home" / ".cache" / "rules_mlc" / "hub"


@pytest.fixture
def repository(tmp_path):
    """A directory with an input, and a link to that from elsewhere."""
    made = tmp_path / "repository"
    made.mkdir()
    (made / "anchor").touch()
    (tmp_path / "anchor").symlink_to(made / "anchor")
    return made


def keep(commands, repository) -> Path:
    result = commands.run("environment", "--directory", repository)
    assert (result.status, result.err) == (0, "")
    return Path(result.out.rstrip("\n")).with_suffix(".json")


@pytest.fixture
def bare(monkeypatch):
    """Forgets the user's variables."""

    def forget():
        for name in ("HF_TOKEN", "HTTP_PROXY"):
            monkeypatch.setenv(name, "")
        monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
        monkeypatch.setenv("HOME", "/nonexistent")

    return forget


@pytest.fixture
def gated(hub, model):
    model.access = "gated"
    model.readers.add(TOKEN)
    hub.tokens.add(TOKEN)


def test_token(commands, repository, place, bare, gated, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    private = keep(commands, repository)
    bare()
    assert commands.fetch("--environment-beside", tmp_path / "anchor").status == 0
    assert commands.output.read_bytes() == FILES[SHARD]
    assert private.parent == place
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    others = [path for path in tmp_path.rglob("*") if path.is_file() and path != private]
    assert others
    assert not [path for path in others if TOKEN.encode() in path.read_bytes()]


def test_private_file_in_use_is_no_leftover(
    commands, repository, place, gated, monkeypatch, tmp_path
):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    private = keep(commands, repository)
    os.utime(private, (0, 0))
    assert commands.fetch("--environment-beside", tmp_path / "anchor").status == 0
    leftovers.remove(place)
    assert private.exists()


def test_password_of_a_proxy(commands, repository, place, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    private = keep(commands, repository)
    assert PROXY in private.read_text(encoding="utf-8")
    assert PROXY not in (repository / "environment.json").read_text(encoding="utf-8")


def test_no_secret_leaves_no_private_file(commands, repository, place, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    keep(commands, repository)
    monkeypatch.delenv("HF_TOKEN")
    assert not keep(commands, repository).exists()


def test_directory_that_cannot_be_written(commands, repository, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "")
    monkeypatch.setenv("XDG_CACHE_HOME", str(repository / "anchor"))
    assert not keep(commands, repository).exists()


def test_refusal_changes_the_file_that_is_watched(
    commands, repository, place, bare, gated, tmp_path
):
    again = keep(commands, repository).with_suffix(".again")
    bare()
    states = {again.exists()}
    beside = [
        w for o in ("environment", "ask-again") for w in (f"--{o}-beside", tmp_path / "anchor")
    ]
    for _ in range(2):
        result = commands.fetch(*beside)
        assert "the repository is gated; " in result.err
        assert result.err.count("\n") == 1
        states.add(again.read_bytes())
    assert len(states) == 3


def test_success_changes_nothing(commands, repository, place, tmp_path):
    private = keep(commands, repository)
    assert commands.fetch("--ask-again-beside", tmp_path / "anchor").status == 0
    assert not list(private.parent.glob("environment*"))


def test_nothing_was_kept(commands, tmp_path):
    """As where an action runs on another machine."""
    assert commands.fetch("--environment-beside", tmp_path / "anchor").status == 0


@pytest.mark.parametrize(
    "text", ["[]", "{}", '{"private": "p", "again": "a", "variables": {"HOME": 1}}']
)
def test_file_that_is_not_ours(commands, repository, tmp_path, text):
    path = repository / "environment.json"
    path.write_text(text, encoding="utf-8")
    result = commands.fetch("--environment-beside", tmp_path / "anchor")
    assert result.err.startswith(f"error: {path}: expected an object ")
    assert result.err.count("\n") == 1
