"""No name from a server, a lock or an option leaves its directory or means something else."""

from __future__ import annotations

import json

import pytest

from tests.hub.faults import status
from tests.unit.hub.conftest import FILES, REPO

BAD = {
    "../evil.bin": "names a directory that is not its own",
    "a/../../evil.bin": "names a directory that is not its own",
    "./a.bin": "names a directory that is not its own",
    "/etc/evil.bin": "is absolute",
    "a//b.bin": "is empty",
    "a\\b.bin": "contains a backslash",
    "a\0b.bin": "contains a control character",
    "a\nb.bin": "contains a control character",
    "a/BUILD.bazel": "contains the reserved name BUILD.bazel",
    "build": "contains the reserved name build",
    "WORKSPACE": "contains the reserved name WORKSPACE",
    ".git/config": "contains the reserved name .git",
    "NUL": "contains the reserved name NUL",
    "a/com1.txt": "contains the reserved name com1.txt",
    "c:evil.bin": "contains a colon",
    "x" * 256: "is longer than 255 bytes",
}
GOOD = ["a..b.bin", "builder/x.json", "con-fig.json", ".hidden", "a b.txt", "ü.txt", "nul_.txt"]


@pytest.mark.parametrize("path", BAD)
def test_from_a_server(commands, model, path):
    model.commit({**FILES, path: b""})
    result = commands.lock()
    assert (result.status, result.err) == (
        1,
        f"error: {REPO}: the file {path!r} {BAD[path]}; leave it out with --exclude\n",
    )
    assert not commands.lock_path.exists()


def test_what_is_excluded_does_no_harm(commands, model):
    model.commit({**FILES, "BUILD": b""})
    assert commands.lock("--exclude", "BUILD").status == 0


@pytest.mark.parametrize("path", GOOD)
def test_good_names(commands, model, path):
    model.commit({path: b"x"})
    assert commands.lock().status == 0


def test_file_that_is_listed_twice(commands, hub):
    entry = {"type": "file", "path": "a.bin", "size": 1, "oid": "0" * 40}
    entry["lfs"] = {"oid": "0" * 64, "size": 1, "pointerSize": 1}
    hub.fail("endpoint", "*/tree/*", status(200, json.dumps([entry, entry]).encode()))
    assert commands.lock().err == f"error: {REPO}: the listing names a file twice; run again\n"


@pytest.mark.parametrize(
    "entry",
    [
        5,
        {"type": "file"},
        {"type": "file", "path": 5, "size": 1, "oid": "0" * 40},
        {"type": "file", "path": "a", "size": -1, "oid": "0" * 40},
        {"type": "file", "path": "a", "size": 1, "oid": "../x"},
        {"type": "file", "path": "a", "size": 1, "oid": "0" * 40, "lfs": {"oid": "x", "size": 1}},
    ],
)
@pytest.mark.parametrize("form", ["[{}]", "{}", "not JSON {}"])
def test_listing_that_is_none(commands, hub, entry, form):
    hub.fail("endpoint", "*/tree/*", status(200, form.format(json.dumps(entry)).encode()))
    assert commands.lock().err == (
        f"error: {REPO}: {hub.url} does not answer as a Hub does; check HF_ENDPOINT\n"
    )


@pytest.mark.parametrize("path", BAD)
def test_from_an_option(commands, hub, path):
    result = commands.fetch(path=path)
    assert result.err == f"error: --path: {path!r} {BAD[path]}; expected a file of a lock\n"
    assert not hub.requests


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("repo", "../etc", "org/repo"),
        ("repo", "a/b/c", "org/repo"),
        ("repo", "a/..b", "org/repo"),
        ("repo", "a/b?x", "org/repo"),
        ("commit", "main", "40 hexadecimal digits"),
        ("sha256", "../../x", "64 hexadecimal digits"),
        ("nbytes", -1, "a number of bytes"),
    ],
)
def test_other_options(commands, hub, option, value, expected):
    result = commands.fetch(**{option: value})
    assert result.err == (
        f"error: --{option}: {value!r} is not what a lock has; expected {expected}\n"
    )
    assert not hub.requests


@pytest.mark.parametrize(
    ("model_name", "line"),
    [
        ("phi", "is not a model of the Hub; expected HF://org/repo, {url}/org/repo or org/repo"),
        (
            "HF://a/../b",
            "is not a model of the Hub; expected HF://org/repo, {url}/org/repo or org/repo",
        ),
        (
            "https://user:secret@hub.example.com/a/b",
            "is not at the endpoint {url}; write HF://org/repo, and set "
            "HF_ENDPOINT=https://hub.example.com to use that host",
        ),
        (
            "https://[hub/a/b",
            "is not at the endpoint {url}; write HF://org/repo, and set "
            "HF_ENDPOINT=https://[hub to use that host",
        ),
    ],
)
def test_models_that_are_none(commands, hub, model_name, line):
    result = commands.lock(model=model_name)
    assert result.err == f"error: {model_name}: {line.format(url=hub.url)}\n"
    assert not hub.requests


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"version": 2}, "$.version: expected 1"),
        ({"models": []}, "$.models: expected an object, the models by name"),
        ({"models": {"..": {}}}, "$.models...: the name names a directory that is not its own"),
        ({"models": {"a": 1}}, "$.models.a: expected an object, a model"),
        ({"repo": "a"}, "$.models.m.repo: expected org/repo"),
        ({"revision": 1}, "$.models.m.revision: expected a branch, a tag or a commit"),
        ({"commit": "main"}, "$.models.m.commit: expected 40 hexadecimal digits"),
        ({"files": 1}, "$.models.m.files: expected a list of files"),
        ({"files": [1]}, "$.models.m.files[0]: expected an object, a file"),
        (
            {"path": "../x"},
            "$.models.m.files[0].path: '../x' names a directory that is not its own",
        ),
        ({"sha256": "abc"}, "$.models.m.files[0].sha256: expected 64 hexadecimal digits"),
        ({"nbytes": True}, "$.models.m.files[0].nbytes: expected a number of bytes"),
    ],
)
def test_lock_with_a_mistake(commands, hub, change, line):
    commands.lock("--name", "m")
    lock = json.loads(commands.lock_path.read_text(encoding="utf-8"))
    model = lock["models"]["m"]
    ((key, value),) = change.items()
    next(one for one in (lock, model, model["files"][0]) if key in one)[key] = value
    commands.lock_path.write_text(json.dumps(lock), encoding="utf-8")
    before = commands.lock_path.read_bytes()
    hub.requests.clear()
    result = commands.lock("--name", "other")
    assert result.err == f"error: {commands.lock_path}: {line}; make the lock anew\n"
    assert commands.lock_path.read_bytes() == before
    assert not hub.requests


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("HF_ENDPOINT", "huggingface.co"),
        ("HF_ENDPOINT", "ftp://huggingface.co"),
        ("HF_ENDPOINT", "https://user:secret@huggingface.co"),
        ("HF_ENDPOINT", "https://huggingface.co:44a"),
        ("HF_ENDPOINT", "https://huggingface.co:0"),
        ("HF_ENDPOINT", "https://[::1"),
        ("HF_ENDPOINT", "https://huggingface.co/\nx"),
        ("HF_ENDPOINT", "https://hugging face.co"),
        ("HF_ENDPOINT", "https://huggingface.co/#models"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "soon"),
        ("HF_HUB_DOWNLOAD_TIMEOUT", "-1"),
    ],
)
def test_variables_that_mean_nothing(commands, monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    for result in (commands.fetch(), commands.lock()):
        assert result.status == 1
        assert result.err.startswith(f"error: {variable}: ")
        assert result.err.count("\n") == 1
        assert "secret" not in result.err
