"""A lock says all of a revision, and the same revision always becomes the same lock."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hub.faults import WRONG_BYTES, rate_limited, reset, status, truncated
from tests.hub.repository import sha256
from tests.unit.hub.conftest import FILES, REPO

ROOT = Path(__file__).parents[3]
NAME = REPO.partition("/")[2]


def _entry(commands, name=NAME):
    return json.loads(commands.lock_path.read_text(encoding="utf-8"))["models"][name]


def test_lock(commands, hub, model):
    result = commands.lock()
    commit = model.branches["main"]
    nbytes = sum(map(len, FILES.values())) / 1e6
    assert (result.status, result.err) == (0, "")
    assert (
        result.out
        == f"{commands.lock_path}: {NAME} is {REPO} at {commit}: 6 files, {nbytes:.1f} MB\n"
    )
    assert json.loads(commands.lock_path.read_text(encoding="utf-8")) == {
        "version": 1,
        "models": {
            NAME: {
                "repo": REPO,
                "revision": "main",
                "include": [],
                "exclude": [],
                "commit": commit,
                "files": [
                    {"path": path, "sha256": sha256(data), "nbytes": len(data)}
                    for path, data in sorted(FILES.items())
                ],
            }
        },
    }
    assert not hub.asked("storage"), "large files are not downloaded for their digest"


@pytest.mark.parametrize("form", ["HF://{}", "hf://{}", "{}", "https://huggingface.co/{}", "{}/"])
def test_forms_of_a_model(commands, form):
    assert commands.lock(model=form.format(REPO)).status == 0
    assert _entry(commands)["repo"] == REPO


def test_page_at_the_endpoint(commands, hub):
    assert commands.lock(model=f"{hub.url}/{REPO}").status == 0


def test_pagination(commands, hub):
    commands.lock()
    whole = commands.lock_path.read_bytes()
    commands.lock_path.unlink()
    hub.requests.clear()
    hub.page_size = 2
    commands.lock()
    assert commands.lock_path.read_bytes() == whole
    assert len(hub.asked("endpoint", "/api/models/*/tree/*")) == 4  # 6 files and a folder
    assert len(hub.asked("endpoint", "*cursor=*")) == 3


def test_requests_grow_with_the_small_files_alone(commands, hub):
    commands.lock()
    assert len(hub.asked("endpoint", "/api/models/*")) == 2  # branch, tree
    assert len(hub.asked("endpoint", "*/resolve/*")) == 4


def test_equal_locks_whatever_the_order(commands, model):
    model.commit({"a.json": b"{}"}, branch="other")
    commands.lock("--name", "a")
    commands.lock("--name", "b", "--revision", "other")
    first = commands.lock_path.read_bytes()
    commands.lock_path.unlink()
    commands.lock("--name", "b", "--revision", "other")
    commands.lock("--name", "a")
    assert commands.lock_path.read_bytes() == first
    commands.lock("--name", "a")
    assert commands.lock_path.read_bytes() == first


def test_refresh_takes_the_new_commit_and_keeps_other_models(commands, model):
    commands.lock("--name", "old")
    before = _entry(commands, "old")
    commands.lock("--name", "new")
    model.commit({**FILES, "mlc-chat-config.json": b"{}"})
    commands.lock("--name", "new")
    assert _entry(commands, "old") == before
    assert _entry(commands, "new")["commit"] == model.branches["main"] != before["commit"]


def test_commit_and_branch(commands, hub, model):
    first = model.branches["main"]
    model.commit({"only.json": b"{}"}, branch="feature/a")
    commands.lock("--revision", first)
    assert not hub.asked("endpoint", "/api/models/*/revision/*"), "a commit needs no resolving"
    assert _entry(commands)["commit"] == first
    commands.lock("--revision", "feature/a")
    entry = _entry(commands)
    assert (entry["revision"], entry["commit"]) == ("feature/a", model.branches["feature/a"])
    assert [file["path"] for file in entry["files"]] == ["only.json"]


@pytest.mark.parametrize(
    ("arguments", "left"),
    [
        (["--include", "*.json"], ["mlc-chat-config.json", "tensor-cache.json"]),
        (["--include", "tokenizer/"], ["tokenizer/merges.txt"]),
        (["--include", "params*", "--exclude", "*_1.bin"], ["params_shard_0.bin"]),
        (
            ["--exclude", ".gitattributes", "--exclude", "t*"],
            ["mlc-chat-config.json", "params_shard_0.bin", "params_shard_1.bin"],
        ),
    ],
)
def test_patterns(commands, arguments, left):
    commands.lock(*arguments)
    assert [file["path"] for file in _entry(commands)["files"]] == left


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ["--include", "*.gguf"],
            "--include *.gguf matches none of its 6 files; correct the pattern",
        ),
        (["--exclude", "*"], "no file is left of 6; exclude fewer"),
    ],
)
def test_patterns_that_leave_nothing(commands, arguments, line):
    result = commands.lock(*arguments)
    assert (result.status, result.err) == (1, f"error: {REPO}: {line}\n")
    assert not commands.lock_path.exists()


@pytest.mark.parametrize(
    "fault", [rate_limited(), status(503), status(500), reset(), reset(9), truncated(9)]
)
@pytest.mark.parametrize("path", ["*/revision/*", "*/tree/*", "*/resolve/*"])
def test_faults_are_retried(commands, hub, fault, path):
    hub.fail("endpoint", path, fault, fault)
    if "resolve" in path:  # the body comes after the redirect
        hub.fail("endpoint", "/api/resolve-cache/*", fault)
    assert commands.lock().status == 0
    assert [file["sha256"] for file in _entry(commands)["files"]] == [
        sha256(data) for _, data in sorted(FILES.items())
    ]


def test_damaged_small_file_is_not_pinned(commands, hub):
    hub.fail("endpoint", "/api/resolve-cache/*merges.txt", WRONG_BYTES)
    result = commands.lock()
    assert result.status == 1
    assert result.err.startswith(f"error: {REPO}: tokenizer/merges.txt: the bytes have the git id ")
    assert result.err.count("\n") == 1
    assert not commands.lock_path.exists()


def test_pages_in_a_circle(commands, hub):
    hub.fail(
        "endpoint",
        "*/tree/*",
        *[status(200, b"[]", Link=f'<{hub.url}/api/models/{REPO}/tree/x>; rel="next"')] * 9,
    )
    result = commands.lock()
    assert result.err == (
        f"error: {REPO}: {hub.url} does not answer as a Hub does; check HF_ENDPOINT\n"
    )


def test_progress_on_a_terminal(commands, hub):
    main, terminal = pty.openpty()
    arguments = ["lock", "--model", REPO, "--lock", str(commands.lock_path)]
    done = subprocess.run(
        [sys.executable, "-B", "-m", "tools.hub", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=terminal,
        timeout=60,
    )
    os.close(terminal)
    shown = os.read(main, 1 << 16).decode()
    os.close(main)
    assert done.returncode == 0
    assert f"locking {REPO} [{'.' * 30}] 0/6" in shown
    assert f"[{'#' * 30}] 6/6" in shown


def test_several_models(commands, tmp_path):
    models = [
        {"model": REPO, "name": "a", "lock": "one.json", "include": ["*.json"]},
        {"model": REPO, "name": "b", "lock": "sub/two.json", "exclude": ["*.bin"]},
    ]
    path = tmp_path / "models.json"
    path.write_text(json.dumps(models), encoding="utf-8")
    result = commands.run("lock", "--models", path, "--root", tmp_path)
    assert (result.status, result.err, result.out.count("\n")) == (0, "", 2)
    locks = {
        name: json.loads((tmp_path / name).read_text(encoding="utf-8"))["models"]
        for name in ("one.json", "sub/two.json")
    }
    assert locks["one.json"]["a"]["include"] == ["*.json"]
    assert [file["path"] for file in locks["sub/two.json"]["b"]["files"]] == [
        ".gitattributes",
        "mlc-chat-config.json",
        "tensor-cache.json",
        "tokenizer/merges.txt",
    ]


@pytest.mark.parametrize("text", ["{}", "[{}]", '[{"model": "a/b", "nmae": "c"}]'])
def test_list_of_models_that_is_none(commands, tmp_path, text):
    path = tmp_path / "models.json"
    path.write_text(text, encoding="utf-8")
    result = commands.run("lock", "--models", path)
    assert result.err.startswith(f"error: {path}: expected a list of objects with ")
