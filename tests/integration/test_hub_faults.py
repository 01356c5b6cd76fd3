"""Protects fetches against everything between the Hub and the build, and the token against all."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess

import pytest

from tests.hub.faults import stalled
from tests.hub.repository import Repository
from tests.hub.server import serve
from tests.integration import http_cache, processes
from tests.integration.hub_faults import FULL_DISK, HALF, MENDED, REFUSED, REST, RESUMED, misbehave
from tests.integration.hub_models import (
    blobs_asked,
    digests,
    model_files,
    use_models,
    write_lock,
)
from tests.integration.processes import wait_until

LOCKED = 'lock = "//:mlc.lock.json",'
TOKEN = "hf_NobodyElseMaySeeThis"


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


def ranges(hub, seed: int) -> list[str | None]:
    """What was asked of a shard, one request after the other."""
    asked = hub.asked("storage", f"*{digests(seed)[0]}*")
    return [request.headers.get("range") for request in asked]


def test_faults_that_pass(workspace, hub, model):
    lock(workspace, hub, model, *MENDED)
    misbehave(hub, {seed: faults for seed, (faults, _) in MENDED.items()})
    build = weights(workspace, "--jobs=8")
    assert "error" not in build.stderr
    assert {seed: ranges(hub, seed) for seed in MENDED} == {
        seed: asked for seed, (_, asked) in MENDED.items()
    }


def test_faults_that_stay(workspace, hub, model):
    """All in one build, each in one line; the next build goes on where this one ended."""
    lock(workspace, hub, model, *REFUSED)
    misbehave(hub, {seed: faults for seed, (faults, _) in REFUSED.items()})
    partial = {seed: partial_of(workspace, seed) for seed in REFUSED}
    partial[FULL_DISK].parent.mkdir(parents=True, exist_ok=True)
    partial[FULL_DISK].symlink_to("/dev/full")
    build = weights(workspace, "--jobs=8", "--keep_going", check=False)
    assert build.returncode == 1
    lines = build.errors()
    assert len(lines) == len(REFUSED), build.stderr
    for index, (seed, (_, text)) in enumerate(REFUSED.items()):
        words = text.format(
            page=f"{hub.url}/org/one",
            sha256=digests(seed)[0],
            storage=hub.storage_url.partition("//")[2],
            url=hub.url,
        )
        where = partial[seed] if seed == FULL_DISK else f"org/one: params_shard_{index}.bin at "
        (line,) = [line for line in lines if line.startswith(f"error: {where}")]
        assert words in line
    assert [seed for seed, path in partial.items() if path.exists()] == [RESUMED]
    hub.requests.clear()
    weights(workspace)
    assert {seed: ranges(hub, seed) for seed in REFUSED} == {
        **{seed: [None] for seed in REFUSED},
        RESUMED: [REST],
    }


def partial_of(workspace, seed: int) -> pathlib.Path:
    """Where what came of a shard waits for the next build."""
    return workspace.root.parent / f"home/.cache/rules_mlc/hub/.{digests(seed)[0]}.part"


def test_renamed_repository(workspace, hub, model, monkeypatch):
    lock(workspace, hub, model, 2)
    monkeypatch.setitem(hub.repositories, "org/new", model)
    monkeypatch.setitem(hub.renamed, "org/one", "org/new")
    warning = "warning: org/one: the repository is called org/new now; write HF://org/new and make"
    assert warning in weights(workspace).stderr


def test_killed_in_mid_download(workspace, hub, model):
    lock(workspace, hub, model, 4)
    (server,) = processes.servers(workspace)
    hub.silent.clear()
    hub.fail("storage", "*", stalled(HALF))
    client = workspace.start("build", "//:one_weights")
    assert hub.silent.wait(60)
    partial = partial_of(workspace, 4)
    wait_until(lambda: partial.stat().st_size == HALF)
    for pid in [client.pid, *processes.descendants(server), server]:
        processes.kill(pid)
    client.wait(timeout=30)
    weights(workspace)
    assert ranges(hub, 4) == [None, REST]


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
        hub.requests.clear()
        again_under_another_name(workspace, hub, 9)
        workspace.bazel("build", *flags, "//:two_weights")
        assert not blobs_asked(hub)


def again_under_another_name(workspace, hub, *seeds: int) -> None:
    """A build that has nothing but a remote cache, and a model that nobody has built yet."""
    hub.add("org/two").commit({**model_files(*seeds), "tokenizer.json": b"another"})
    use_models(workspace, hub, one=LOCKED, two=LOCKED)
    write_lock(workspace, hub, "two")
    workspace.bazel("clean")


def files_with(text: str, *roots: pathlib.Path) -> list[pathlib.Path]:
    done = subprocess.run(["grep", "-rlaF", text, *roots], capture_output=True, text=True)
    return [pathlib.Path(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("variable", ["HF_TOKEN_PATH", "HF_HOME"])
def test_gated_model_and_a_file_with_a_token(
    workspace, hub, model, variable, monkeypatch, tmp_path
):
    seed = {"HF_TOKEN_PATH": 11, "HF_HOME": 12}[variable]
    lock(workspace, hub, model, seed)
    model.access = "gated"
    model.readers = {TOKEN}
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    value = file if variable == "HF_TOKEN_PATH" else tmp_path
    monkeypatch.setitem(workspace.variables, variable, str(value))
    weights(workspace)
    assert blobs_asked(hub) == digests(seed)


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


@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("HF_TOKEN", f"{TOKEN}\nx", "HF_TOKEN: is not a token of the Hub; expected one line"),
        ("HF_ENDPOINT", f"http://me:{TOKEN}@127.0.0.1", "HF_ENDPOINT: is not an address of a Hub"),
    ],
)
def test_secret_that_cannot_be_sent(workspace, hub, model, monkeypatch, variable, value, line):
    """Bazel's downloader would print it: a header that is none, an address that does not answer."""
    lock(workspace, hub, model, {"HF_TOKEN": 13, "HF_ENDPOINT": 14}[variable])
    monkeypatch.setitem(workspace.variables, variable, value)
    build = workspace.bazel("build", "//:one_weights", check=False)
    assert build.returncode != 0
    assert line in build.stderr
    assert TOKEN not in build.stdout + build.stderr
