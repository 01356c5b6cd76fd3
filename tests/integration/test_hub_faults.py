"""Protects fetches against everything between the Hub and the build, and the token against all."""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import subprocess
import time

import pytest

from tests.hub.faults import WRONG_BYTES, rate_limited, stalled, status, truncated
from tests.hub.repository import Repository
from tests.hub.server import serve
from tests.integration import http_cache
from tests.integration.hub_models import (
    SHARD_BYTES,
    blobs_asked,
    digests,
    model_files,
    use_models,
    write_lock,
)

LOCKED = 'lock = "//:mlc.lock.json",'
TOKEN = "hf_NobodyElseMaySeeThis"
HALF = SHARD_BYTES // 2


@pytest.fixture(scope="module")
def hub():
    with serve() as served:
        served.tokens.add(TOKEN)
        served.add("org/one")
        yield served


@pytest.fixture(scope="module")
def workspace(new_workspace, hub):
    return configured(new_workspace(), hub)


def configured(workspace, hub):
    use_models(workspace, hub, one=LOCKED)
    return workspace


@pytest.fixture
def model(hub) -> Repository:
    hub.requests.clear()
    model = hub.repositories["org/one"]
    model.access = "public"
    return model


def lock(workspace, hub, model, *seeds: int) -> None:
    """Give the model these shards and the workspace a lock of them; nothing of it is fetched."""
    model.commit(model_files(*seeds))
    write_lock(workspace, hub, "one")
    hub.requests.clear()


def weights(workspace, *flags: str, check: bool = True):
    return workspace.bazel("build", *flags, "//:one_weights", check=check)


def refused(workspace, *flags: str) -> str:
    """The one line that a failing build shows of ours."""
    build = weights(workspace, *flags, check=False)
    assert build.returncode == 1, build.stderr
    lines = [line.partition("rror: ")[2] or line for line in build.errors()]
    assert len(lines) == 1, build.stderr
    return lines[0].removeprefix("Error in fail: ")


def test_transient_faults(workspace, hub, model):
    lock(workspace, hub, model, 1)
    hub.fail("endpoint", "*/resolve/*.bin", rate_limited())
    hub.fail("storage", "*", status(503), truncated(HALF))
    weights(workspace)
    ranges = [request.headers.get("range") for request in hub.asked("storage")]
    assert ranges == [None, None, f"bytes={HALF}-"]


def test_wrong_bytes(workspace, hub, model):
    lock(workspace, hub, model, 2)
    hub.fail("storage", "*", WRONG_BYTES)
    line = refused(workspace)
    assert f"the lock says {digests(2)[0]}; run again, and distrust the network" in line
    weights(workspace)


def test_file_that_is_gone(workspace, hub, model):
    lock(workspace, hub, model, 3)
    hub.fail("endpoint", "*/resolve/*.bin", status(404, X_Error_Code="EntryNotFound"))
    assert refused(workspace).endswith(
        f"is not in that revision; see {hub.url}/org/one/tree/main and make the lock anew"
    )
    weights(workspace)


def descendants(pid: int) -> list[int]:
    """Every process below one, by /proc."""
    parents = {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(fields[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def test_killed_in_mid_download(workspace, hub, model):
    lock(workspace, hub, model, 4)
    server = int(workspace.bazel("info", "server_pid").stdout)
    hub.silent.clear()
    hub.fail("storage", "*", stalled(HALF))
    client = workspace.start("build", "//:one_weights")
    assert hub.silent.wait(60)
    partial = workspace.root.parent / f"home/.cache/rules_mlc/hub/.{digests(4)[0]}.part"
    wait_until(lambda: partial.stat().st_size == HALF)
    for pid in [client.pid, *descendants(server), server]:
        os.kill(pid, signal.SIGKILL)
    client.wait(timeout=30)
    weights(workspace)
    ranges = [request.headers.get("range") for request in hub.asked("storage")]
    assert ranges == [None, f"bytes={HALF}-"]


def test_two_builds_at_once(workspace, new_workspace, hub, model):
    """Two folders, two servers, one user: the second waits and takes what the first has."""
    other = configured(new_workspace(), hub)
    other.variables.update(workspace.variables)
    lock(workspace, hub, model, 5, 6)
    other.write("mlc.lock.json", (workspace.root / "mlc.lock.json").read_text())
    hub.silent.clear()
    hub.fail("storage", f"*{digests(5)[0]}*", stalled(HALF))
    first = workspace.start("build", "//:one_weights")
    assert hub.silent.wait(60)
    second = other.start("build", "//:one_weights")
    wait_until(lambda: len(hub.asked("endpoint", "/org/one/resolve/*/tokenizer.json")) == 2)
    hub.release.set()
    assert first.wait(timeout=120) == 0
    assert second.wait(timeout=120) == 0
    hub.release.clear()
    assert sorted(blobs_asked(hub)) == sorted([*digests(5), *digests(5), *digests(6)])
    results = [
        (one.root / "bazel-bin/one_weights.weights.json").read_bytes() for one in (workspace, other)
    ]
    assert results[0] == results[1]


def test_offline(workspace, hub, model, monkeypatch):
    lock(workspace, hub, model, 7)
    monkeypatch.setitem(workspace.variables, "HF_HUB_OFFLINE", "1")
    assert "is in no cache of this machine, and HF_HUB_OFFLINE is set" in refused(workspace)
    cache = workspace.root.parent / "cache"
    for path, data in model_files(7).items():
        file = cache / "hf/org/one" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    monkeypatch.setitem(workspace.variables, "MLC_LLM_READONLY_WEIGHT_CACHE", str(cache))
    weights(workspace)
    assert not hub.requests


def test_remote_cache_without_weights(workspace, hub, model):
    lock(workspace, hub, model, 8)
    with http_cache.running() as cache:
        flags = [f"--remote_cache={cache.url}", "--remote_retries=0"]
        weights(workspace, *flags, "--@rules_mlc//rules/settings:remote_cache_of_weights=false")
        assert cache.blobs
        assert f"/cas/{digests(8)[0]}" not in cache.blobs
        lock(workspace, hub, model, 9)
        weights(workspace, *flags)
        assert f"/cas/{digests(9)[0]}" in cache.blobs


def wait_until(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def files_with(text: str, *roots: pathlib.Path) -> list[pathlib.Path]:
    done = subprocess.run(["grep", "-rlaF", text, *roots], capture_output=True, text=True)
    return [pathlib.Path(line) for line in done.stdout.splitlines()]


def test_gated_model_and_its_token(workspace, hub, model, monkeypatch):
    """HF_TOKEN is set after a refusal, as users do; nobody but the endpoint sees it."""
    lock(workspace, hub, model, 10)
    model.access = "gated"
    model.readers = {TOKEN}
    page = f"ask for access at {hub.url}/org/one, then set HF_TOKEN to a token from "
    assert page in refused(workspace)
    monkeypatch.setitem(workspace.variables, "HF_TOKEN", TOKEN)
    log = workspace.root.parent / "execution.json"
    build = weights(workspace, f"--execution_log_json_file={log}")
    actions = workspace.bazel(
        "aquery", "--output=text", 'mnemonic("MlcFetch", deps(//:one_weights))'
    )
    assert "MlcFetch" in actions.stdout
    assert digests(10)[0] in log.read_text()
    for shown in (build.stdout, build.stderr, actions.stdout, log.read_text()):
        assert TOKEN not in shown
    assert hub.asked("storage")
    for request in hub.asked("storage"):
        assert TOKEN not in request.path + json.dumps(request.headers)
    workspace.events.unlink()  # Bazel itself records every variable of its caller there
    (private,) = files_with(TOKEN, workspace.root.parent)
    assert re.fullmatch(r"environment-[0-9a-f]{16}\.json", private.name)
    assert private.stat().st_mode & 0o077 == 0
