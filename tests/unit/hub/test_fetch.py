"""One file comes whole and verified, or not at all, whatever the servers do on the way."""

from __future__ import annotations

import os

import pytest

from tests.hub.faults import (
    IGNORED_RANGE,
    WRONG_BYTES,
    rate_limited,
    reset,
    slow,
    stalled,
    status,
    truncated,
)
from tests.hub.repository import sha256
from tests.unit.hub.conftest import FILES, REPO, SHARD
from tools.hub.partial import SHA256_ATTRIBUTE

DATA = FILES[SHARD]
HALF = 1 << 20


def _where(commands):
    return f"error: {REPO}: {SHARD} at {commands.file['commit'][:12]}: "


def _ranges(hub):
    return [request.headers.get("range") for request in hub.asked("storage")]


def _fetched(commands, result):
    assert (result.status, result.out, result.err) == (0, "", "")
    assert commands.output.read_bytes() == DATA
    assert commands.leftovers() == []


def _refused(commands, result, line):
    assert (result.status, result.out) == (1, "")
    assert result.err == _where(commands) + line + "\n"
    assert not commands.output.exists()


def test_fetch(commands, hub):
    _fetched(commands, commands.fetch())
    assert [request.path for request in hub.asked("endpoint")] == [
        f"/{REPO}/resolve/{commands.file['commit']}/{SHARD}"
    ]
    assert _ranges(hub) == [None]
    assert os.getxattr(commands.output, SHA256_ATTRIBUTE).hex() == sha256(DATA)


@pytest.mark.parametrize("path", ["mlc-chat-config.json", "tokenizer/merges.txt"])
def test_small_file(commands, hub, path):
    data = FILES[path]
    assert commands.fetch(path=path, sha256=sha256(data), nbytes=len(data)).status == 0
    assert commands.output.read_bytes() == data
    assert not hub.asked("storage")


def test_empty_file_and_name_to_be_quoted(commands, model):
    commit = model.commit({"an empty #file?.txt": b"", "ü%20.txt": b"x"})
    for path, data in model.commits[commit].items():
        result = commands.fetch(commit=commit, path=path, sha256=sha256(data), nbytes=len(data))
        assert (result.status, result.err) == (0, "")
        assert commands.output.read_bytes() == data


def test_file_of_an_older_commit(commands, model):
    model.commit({"another.txt": b""})
    _fetched(commands, commands.fetch())


def test_output_is_replaced(commands):
    commands.output.parent.mkdir()
    commands.output.write_bytes(b"old")
    _fetched(commands, commands.fetch())


@pytest.mark.parametrize("host", ["endpoint", "storage"])
@pytest.mark.parametrize(
    "fault", [rate_limited(), status(500), status(502), status(503), status(504), reset()]
)
def test_transient_faults_are_retried(commands, hub, host, fault):
    hub.fail(host, "*", fault, fault)
    _fetched(commands, commands.fetch())
    assert len(hub.asked(host)) == 3


@pytest.mark.parametrize("fault", [reset(HALF), truncated(HALF), truncated(1), truncated(0)])
def test_body_that_breaks_off_is_resumed(commands, hub, fault):
    hub.fail("storage", "*", fault, fault)
    _fetched(commands, commands.fetch())
    first, *later = _ranges(hub)
    assert (first, len(later)) == (None, 2)
    if fault.kind == "truncated" and fault.after:
        assert later == [f"bytes={fault.after}-", f"bytes={2 * fault.after}-"]


def test_silent_server_is_left_and_resumed(commands, hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1")
    hub.fail("storage", "*", stalled(HALF))
    _fetched(commands, commands.fetch())
    assert _ranges(hub) == [None, f"bytes={HALF}-"]


def test_slow_server_is_waited_for(commands, hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "2")
    hub.fail("storage", "*", slow(0.02))  # 2.6 s in all
    _fetched(commands, commands.fetch())
    assert _ranges(hub) == [None]


def test_progress_starts_the_count_of_failures_anew(commands, hub, model):
    data = bytes(8 << 20)
    commit = model.commit({"big.bin": data})
    hub.fail("storage", "*", *[truncated(HALF)] * 7)
    changes = {"commit": commit, "path": "big.bin", "sha256": sha256(data), "nbytes": len(data)}
    assert commands.fetch(**changes).status == 0
    assert len(hub.asked("storage")) == 8


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (status(503), "{storage} answers HTTP 503"),
        (rate_limited(), "{storage} answers HTTP 429"),
        (reset(), "the connection failed (Connection reset by peer)"),
        (truncated(0), "the answer ended too early"),
    ],
)
def test_given_up_after_five_failures_in_a_row(commands, hub, fault, reason):
    hub.fail("storage", "*", *[fault] * 9)
    result = commands.fetch()
    reason = reason.format(storage=hub.storage_url.partition("//")[2])
    _refused(
        commands,
        result,
        f"{reason}, 5 times in a row; check the network and {hub.url}, and run again to go on",
    )
    assert len(hub.asked("storage")) == 5
    assert commands.leftovers() == []


def test_silent_server_is_named(commands, hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "0.1")
    hub.fail("storage", "*", *[stalled(0)] * 9)
    assert ": the server is silent for 0.1 s, 5 times in a row; " in commands.fetch().err


def test_no_server(commands, monkeypatch):
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert ": the connection failed (Connection refused), 5 times" in commands.fetch().err


def test_retry_after_is_honoured(commands, hub, monkeypatch):
    waits = []
    monkeypatch.setattr("tools.hub.attempts.time.sleep", waits.append)
    hub.fail("endpoint", "*", rate_limited("7"))
    _fetched(commands, commands.fetch())
    assert waits[0] == 7


def test_retry_after_as_a_date(commands, hub):
    hub.fail("endpoint", "*", rate_limited("Wed, 21 Oct 2015 07:28:00 GMT"))
    _fetched(commands, commands.fetch())


def test_long_retry_after_is_refused(commands, hub):
    hub.fail("endpoint", "*", rate_limited("3600"))
    host = hub.url.partition("//")[2]
    _refused(
        commands,
        commands.fetch(),
        f"{host} answers HTTP 429 and asks to wait 3600 s; run again then, or set HF_TOKEN: "
        "users may ask more often",
    )


def test_expired_address_of_the_storage_is_asked_for_anew(commands, hub):
    hub.fail("storage", "*", status(403))
    _fetched(commands, commands.fetch())
    assert len(hub.asked("endpoint")) == 2


def test_server_that_does_not_resume(commands, hub):
    hub.fail("storage", "*", truncated(HALF), IGNORED_RANGE)
    _fetched(commands, commands.fetch())
    assert _ranges(hub) == [None, f"bytes={HALF}-"]


def test_server_that_resumes_elsewhere(commands, hub):
    hub.fail(
        "storage",
        "*",
        truncated(HALF),
        status(206, DATA[5:], Content_Range=f"bytes 5-{len(DATA) - 1}/{len(DATA)}"),
    )
    _fetched(commands, commands.fetch())
    assert _ranges(hub) == [None, f"bytes={HALF}-", None]


def test_server_that_refuses_the_range(commands, hub):
    hub.fail("storage", "*", truncated(HALF), status(416))
    _fetched(commands, commands.fetch())
    assert _ranges(hub) == [None, f"bytes={HALF}-", None]


def test_wrong_bytes_are_refused_and_not_kept(commands, hub):
    hub.fail("storage", "*", WRONG_BYTES)
    actual = sha256(bytes(255 - byte for byte in DATA))
    _refused(
        commands,
        commands.fetch(),
        f"the bytes from {hub.url} have the sha256 {actual}, the lock says "
        f"{commands.file['sha256']}; run again, and distrust the network or HF_ENDPOINT "
        "if it stays so",
    )
    assert commands.leftovers() == []


@pytest.mark.parametrize("difference", [-1, 1])
def test_other_size_is_refused_before_the_bytes_come(commands, hub, difference):
    _refused(
        commands,
        commands.fetch(nbytes=len(DATA) + difference),
        f"has {len(DATA)} bytes at {hub.storage_url.partition('//')[2]}, the lock says "
        f"{len(DATA) + difference}; make the lock anew, or correct HF_ENDPOINT",
    )
    assert commands.leftovers() == []


def test_renamed_repository_is_followed_and_told(commands, hub):
    hub.renamed[REPO] = "mlc-ai/new-name"
    hub.repositories["mlc-ai/new-name"] = hub.repositories[REPO]
    result = commands.fetch()
    assert result.status == 0
    assert result.err == (
        f"warning: {REPO}: the repository is called mlc-ai/new-name now; "
        "write HF://mlc-ai/new-name and make the lock anew\n"
    )
    assert commands.output.read_bytes() == DATA


def test_renamed_repository_is_not_locked_under_its_old_name(commands, hub):
    hub.renamed[REPO] = "mlc-ai/new-name"
    hub.repositories["mlc-ai/new-name"] = hub.repositories[REPO]
    result = commands.lock()
    assert result.err == (
        f"error: {REPO}: the repository is called mlc-ai/new-name now; write HF://mlc-ai/new-name\n"
    )
    assert not commands.lock_path.exists()


def test_offline(commands, hub, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    _refused(
        commands,
        commands.fetch(),
        "is in no cache of this machine, and HF_HUB_OFFLINE is set; unset it, or name a cache "
        "in HF_HOME or MLC_LLM_READONLY_WEIGHT_CACHE",
    )
    assert commands.lock().err == (
        f"error: {REPO}: HF_HUB_OFFLINE is set, and only the Hub says what is in a model; "
        "unset it\n"
    )
    assert not hub.requests
