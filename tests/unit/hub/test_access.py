"""Who may not read a model is told what to do, and the token stays between user and endpoint."""

from __future__ import annotations

import pytest

from tests.hub.faults import WRONG_BYTES, rate_limited, reset, status, truncated
from tests.unit.hub.conftest import FILES, REPO, SHARD, TOKEN


@pytest.fixture
def token(hub, model, monkeypatch):
    """A token of the environment that may read the model."""
    hub.tokens.add(TOKEN)
    model.readers.add(TOKEN)
    monkeypatch.setenv("HF_TOKEN", TOKEN)


def _page(hub):
    return f"{hub.url}/{REPO}"


def _error(result):
    assert (result.status, result.out, result.err.count("\n")) == (1, "", 1)
    return result.err.removeprefix("error: ").rstrip("\n")


def _file(commands):
    return f"{REPO}: {SHARD} at {commands.file['commit'][:12]}"


def test_gated_without_a_token(commands, hub, model):
    model.access = "gated"
    line = (
        f"the repository is gated; ask for access at {_page(hub)}, then set HF_TOKEN to a token "
        f"from {hub.url}/settings/tokens"
    )
    assert _error(commands.fetch()) == f"{_file(commands)}: {line}"
    assert _error(commands.lock()).endswith(f": {line}")
    assert commands.leftovers() == []


def test_gated_with_a_token_without_access(commands, hub, model, token):
    model.access = "gated"
    model.readers.clear()
    assert _error(commands.fetch()) == (
        f"{_file(commands)}: the repository is gated, and the token in HF_TOKEN has no access; "
        f"ask for it at {_page(hub)}, or set HF_TOKEN to a token of a user who has it"
    )


@pytest.mark.parametrize("access", ["gated", "private"])
def test_with_access(commands, model, token, access):
    model.access = access
    assert commands.fetch().status == 0
    assert commands.output.read_bytes() == FILES[SHARD]
    assert commands.lock().status == 0


def test_private_without_a_token(commands, hub, model):
    model.access = "private"
    line = (
        f"there is no such repository, or it is private; check the name at {_page(hub)}, and set "
        f"HF_TOKEN to a token from {hub.url}/settings/tokens if it is private"
    )
    assert _error(commands.fetch()) == f"{_file(commands)}: {line}"
    assert _error(commands.lock()) == f"{REPO}: main: {line}"


def test_private_with_a_token_without_access(commands, hub, model, token):
    model.access = "private"
    model.readers.clear()
    assert _error(commands.fetch()) == (
        f"{_file(commands)}: there is no such repository, or the token in HF_TOKEN may not see "
        f"it; check the name at {_page(hub)}, and HF_TOKEN"
    )


def test_token_that_is_not_valid(commands, hub, token):
    hub.tokens.clear()
    assert _error(commands.fetch()) == (
        f"{_file(commands)}: the token in HF_TOKEN is not valid; set HF_TOKEN to a new one from "
        f"{hub.url}/settings/tokens"
    )


def test_forbidden(commands, hub):
    hub.fail("endpoint", "*", status(403))
    assert _error(commands.fetch()) == (
        f"{_file(commands)}: {hub.url.partition('//')[2]} refuses access (HTTP 403); see "
        f"{_page(hub)}, and set HF_TOKEN to a token with access from {hub.url}/settings/tokens"
    )


def test_missing_file(commands, hub):
    assert _error(commands.fetch(path="no.bin")) == (
        f"{REPO}: no.bin at {commands.file['commit'][:12]}: is not in that revision; see "
        f"{_page(hub)}/tree/main and make the lock anew"
    )


def test_missing_revision(commands, hub):
    line = f"there is no such revision; choose one from {_page(hub)}/commits/main"
    assert _error(commands.lock("--revision", "nope")) == f"{REPO}: nope: {line}"
    assert _error(commands.fetch(commit="0" * 40)) == f"{REPO}: {SHARD} at {'0' * 12}: {line}"


def test_endpoint_that_is_no_hub(commands, hub, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", hub.url + "/elsewhere")
    assert _error(commands.fetch()).endswith("has nothing there (HTTP 404); is HF_ENDPOINT a Hub?")


def test_final_answers_are_not_asked_for_twice(commands, hub, model):
    model.access = "gated"
    commands.fetch()
    commands.fetch(path="no.bin")
    assert len(hub.requests) == 2


def _tokens_seen(hub, host):
    return {request.headers.get("authorization") for request in hub.asked(host)}


def test_token_goes_to_the_endpoint_alone(commands, hub, token):
    hub.fail("storage", "*", truncated(9), status(403))
    assert commands.fetch().status == 0
    assert commands.lock().status == 0
    assert _tokens_seen(hub, "endpoint") == {f"Bearer {TOKEN}"}
    assert len(hub.asked("storage")) == 3
    for request in hub.asked("storage"):
        assert TOKEN not in str(request)


def test_token_does_not_follow_a_next_page_to_another_host(commands, hub, token):
    hub.page_size = 2
    link = f'<{hub.storage_url}/stolen?cursor=2>; rel="next"'
    hub.fail("endpoint", "*/tree/*", status(200, b"[]", Link=link))
    hub.fail("storage", "/stolen*", status(200, b"[]"))
    commands.lock()
    assert [request.path for request in hub.asked("storage")] == ["/stolen?cursor=2"]
    assert _tokens_seen(hub, "storage") == {None}


@pytest.mark.parametrize("place", ["HF_TOKEN_PATH", "HF_HOME", "home"])
def test_token_from_a_file(commands, hub, model, tmp_path, monkeypatch, place):
    hub.tokens.add(TOKEN)
    model.readers.add(TOKEN)
    model.access = "private"
    path = {
        "HF_TOKEN_PATH": tmp_path / "my-token",
        "HF_HOME": tmp_path / "hf" / "token",
        "home": tmp_path / "home" / ".cache" / "huggingface" / "token",
    }[place]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{TOKEN}\n", encoding="utf-8")
    if place != "home":
        monkeypatch.setenv(place, str(path.parent if place == "HF_HOME" else path))
    assert commands.fetch().status == 0
    hub.tokens.clear()
    commands.output.unlink()
    assert f"the token in {path} is not valid" in _error(commands.fetch())


def test_variable_comes_before_the_file(commands, hub, tmp_path, token, monkeypatch):
    (tmp_path / "file").write_text("hf_other", encoding="utf-8")
    monkeypatch.setenv("HF_TOKEN_PATH", str(tmp_path / "file"))
    assert commands.fetch().status == 0
    assert _tokens_seen(hub, "endpoint") == {f"Bearer {TOKEN}"}


def test_token_with_a_line_break_is_refused_without_being_shown(commands, hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", f"{TOKEN}\nX-Header: 1")
    assert _error(commands.fetch()) == (
        "HF_TOKEN: is not a token of the Hub; expected one line such as hf_..., from "
        f"{hub.url}/settings/tokens"
    )
    assert not hub.requests


@pytest.mark.parametrize(
    "fault",
    [
        None,
        WRONG_BYTES,
        rate_limited("999"),
        reset(),
        status(400),
        status(401),
        status(403),
        status(404),
        status(503),
        truncated(5),
    ],
)
@pytest.mark.parametrize("host", ["endpoint", "storage"])
def test_token_is_never_shown_nor_written(commands, hub, token, tmp_path, host, fault):
    if fault:
        hub.fail(host, "*", *[fault] * 99)
    for result in (commands.fetch(), commands.lock()):
        assert TOKEN not in result.out + result.err
        assert "signature" not in result.err, "the address of the storage is a secret too"
        assert "Traceback" not in result.err
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes()
