"""A file has one sha256 and any number of places; which of them serves it changes nothing."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.unit.hub.conftest import FILES, REPO, SHARD

DATA = FILES[SHARD]
OTHER = "org/other"


@pytest.fixture
def fetch(commands, tmp_path):
    """Fetches the shard from a list of sources."""

    def run(*sources, more=()):
        path = tmp_path / "sources.json"
        path.write_text(json.dumps(list(sources)), encoding="utf-8")
        options = {name: commands.file[name] for name in ("sha256", "nbytes")}
        words = [word for key, value in options.items() for word in (f"--{key}", value)]
        output = ("--output", commands.output)
        return commands.run("fetch", *words, "--sources", path, *output, *more)

    return run


@pytest.fixture
def source(model):
    return {"repo": REPO, "commit": model.branches["main"], "path": SHARD}


def test_digest(fetch, source, tmp_path):
    assert fetch(source, more=["--digest", tmp_path / "digest.json"]).status == 0
    assert json.loads((tmp_path / "digest.json").read_text(encoding="utf-8")) == {
        "nbytes": len(DATA),
        "sha256": hashlib.sha256(DATA).hexdigest(),
    }


def test_next_source_where_the_first_is_gone(fetch, source, commands, hub):
    gone = {"repo": OTHER, "commit": "0" * 40, "path": SHARD}
    result = fetch(gone, source)
    assert (result.status, result.err) == (0, "")
    assert commands.output.read_bytes() == DATA
    assert len(hub.asked("endpoint", f"/{OTHER}/*")) == 1


def test_first_refusal_is_told_where_every_source_refuses(fetch, source, model):
    model.access = "gated"
    result = fetch(source, {**source, "path": "no.bin"})
    assert result.status == 1
    assert result.err.startswith(f"error: {REPO}: {SHARD} at ")
    assert "gated" in result.err
    assert result.err.count("\n") == 1


def test_every_source_may_lie_in_a_cache(fetch, source, hub, commands, tmp_path):
    cached = tmp_path / "cache" / "hf" / REPO / SHARD
    cached.parent.mkdir(parents=True)
    cached.write_bytes(DATA)
    gone = {"repo": OTHER, "commit": "0" * 40, "path": SHARD}
    assert fetch(gone, source, more=["--cache-dir", tmp_path / "cache"]).status == 0
    assert not hub.requests


@pytest.mark.parametrize("text", ["{}", "[]", "[1]", '[{"repo": "a/b"}]'])
def test_sources_that_are_none(commands, tmp_path, text):
    path = tmp_path / "sources.json"
    path.write_text(text, encoding="utf-8")
    result = commands.fetch("--sources", path)
    assert result.err == f"error: {path}: expected a list of objects with repo, commit and path\n"


def test_sources_that_are_no_input(source, commands, tmp_path):
    """A build gives a link to a file beside which they are."""
    (tmp_path / "real/sources").mkdir(parents=True)
    (tmp_path / "real/anchor").write_text("")
    (tmp_path / "anchor").symlink_to("real/anchor")
    sources = tmp_path / f"real/sources/{commands.file['sha256']}.json"
    options = ("--sha256", commands.file["sha256"], "--nbytes", len(DATA))
    words = ("fetch", *options, "--sources-beside", tmp_path / "anchor")
    assert commands.run(*words, "--output", commands.output).err == (
        f"error: {sources}: is missing; a fetch runs on the machine of the build: "
        "--strategy=MlcFetch=local\n"
    )
    sources.write_text(json.dumps([source]))
    assert commands.run(*words, "--output", commands.output).status == 0
    assert commands.output.read_bytes() == DATA


def test_partial_in_the_cache_of_the_user(fetch, source, commands, hub, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "rules_mlc" / "hub"
    folder.mkdir(parents=True)
    (folder / f".{commands.file['sha256']}.part").write_bytes(DATA[:1000])
    assert fetch(source, more=["--partial-in-cache"]).status == 0
    assert [one.headers["range"] for one in hub.asked("storage")] == ["bytes=1000-"]
    assert [path.name for path in folder.iterdir()] == [commands.file["sha256"]]
