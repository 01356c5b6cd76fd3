"""Protects the choice of the Bazel: MLC_BAZEL, else one of use on PATH, else the private one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tools.bazel import selection

# A Bazel of some version that reaches a registry, or not; notes that it was asked.
SCRIPT = """\
echo "$*" >>{calls}
case $* in
--version) echo "bazel {version}" ;;
*"mod graph") exit {status} ;;
*) echo "{name}: $*" ;;
esac
"""


@pytest.fixture
def put(launcher, tmp_path):
    """Puts a Bazel on PATH and returns the file that lists how it was called."""

    def put(name: str, version: str = "7.4.0", status: int = 0) -> Path:
        calls = tmp_path / f"{name}.calls"
        script = SCRIPT.format(name=name, version=version, status=status, calls=calls)
        launcher.program(name, script)
        return calls

    return put


def test_the_named_one_comes_first(launcher, put):
    put("bazelisk")
    put("bazel")
    put("mine")
    assert launcher.run("help", MLC_BAZEL="mine").stdout == "mine: help\n"
    info = launcher.run("--launcher-info", MLC_BAZEL="mine").stdout
    assert f"program: {launcher.bin}/mine\n" in info
    assert "why: MLC_BAZEL is mine\n" in info


@pytest.mark.parametrize("value", ["no-such-bazel", "/", "/dev/null"])
def test_a_named_one_that_is_no_program_is_an_error(launcher, value):
    assert f"MLC_BAZEL is {value}, which is no program" in launcher.fails(MLC_BAZEL=value)


def test_bazelw_cannot_be_its_own_bazel(launcher):
    link = launcher.bin / "bazel"
    link.symlink_to(launcher.tree / "bazelw")
    assert "bazelw itself" in launcher.fails(MLC_BAZEL=str(link))
    done = launcher.run("version")
    assert done.returncode == 0, done.stderr
    assert len(launcher.installs()) == 1


def test_bazelisk_comes_before_bazel(launcher, put):
    put("bazel")
    put("bazelisk")
    assert launcher.run("help").stdout == "bazelisk: help\n"


def test_bazel_is_used_where_bazelisk_is_of_no_use(launcher, put):
    put("bazelisk", status=1)
    put("bazel")
    assert launcher.run("help").stdout == "bazel: help\n"
    info = launcher.run("--launcher-info").stdout
    assert f"{launcher.bin}/bazelisk is bazel 7.4.0, which reached no module registry;" in info
    assert f"{launcher.bin}/bazel is bazel 7.4.0, and reaches a module registry\n" in info


@pytest.mark.parametrize(
    ("version", "status", "reason"),
    [
        ("7.3.9", 0, "is bazel 7.3.9, older than 7.4"),
        ("6.5.0", 0, "is bazel 6.5.0, older than 7.4"),
        ("no_version", 0, "does not tell its version"),
        ("8.1.0", 1, "is bazel 8.1.0, which reached no module registry"),
    ],
)
def test_one_of_no_use_gives_way_to_the_private_one(launcher, put, version, status, reason):
    put("bazel", version, status)
    done = launcher.run("help")
    assert done.returncode == 0
    assert done.stdout.endswith("\nhelp\n")
    assert reason in launcher.run("--launcher-info").stdout


def test_newer_ones_are_used(launcher, put):
    put("bazel", "10.0.1-pre.2")
    assert launcher.run("help").stdout == "bazel: help\n"


def test_each_is_asked_once_and_again_when_it_was_replaced(launcher, put):
    calls = put("bazel")
    launcher.run("help")
    launcher.run("help")
    asked = [line for line in calls.read_text().splitlines() if line != "help"]
    assert len(asked) == 2
    assert asked[0] == "--version"
    put("bazel", "6.5.0-which-is-longer")
    assert launcher.run("help").stdout.endswith("\nhelp\n")
    assert len(launcher.installs()) == 1


def test_no_python_starts_once_the_verdict_is_known(launcher, put):
    put("bazel")
    launcher.run("help")
    launcher.python_calls.unlink()
    launcher.run("help")
    assert not launcher.python_calls.exists()


def test_one_of_no_use_is_asked_again_later(launcher, put):
    put("bazel", status=1)
    launcher.run("help")
    calls = put("bazel", status=0)
    verdict = launcher.cache / f"on-path{launcher.bin}/bazel.verdict"
    lines = verdict.read_text().splitlines()
    stat = (launcher.bin / "bazel").stat()
    key = (
        f"{launcher.bin}/bazel {stat.st_ino} {stat.st_size} {int(stat.st_mtime)}"
        f" {int(stat.st_ctime)}"
    )
    # The last one: the clock was a month ahead when it was set.
    for seconds, asked in ((100, False), (-100, True), (30 * 24 * 3600, True)):
        until = int(time.time()) + seconds
        calls.write_text("")
        verdict.write_text("\n".join([key, "no", str(until), lines[3], ""]))
        launcher.run("--launcher-info")
        assert ("--version" in calls.read_text()) == asked
    assert launcher.run("help").stdout == "bazel: help\n"


def test_a_damaged_verdict_is_made_anew(launcher, put):
    put("bazel")
    launcher.run("help")
    verdict = launcher.cache / f"on-path{launcher.bin}/bazel.verdict"
    for text in ("", "half", verdict.read_text()[:-40]):
        verdict.write_text(text)
        assert launcher.run("help").stdout == "bazel: help\n"


def test_one_that_hangs_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(selection, "LIMIT", 0.5)
    program = tmp_path / "bazel"
    program.write_text(
        '#!/bin/sh\ncase $* in *graph) sleep 60 & wait ;; esac\necho "bazel 7.4.0"\n'
    )
    program.chmod(0o755)
    started = time.monotonic()
    selection.probe(str(program), "key", tmp_path / "verdict", tmp_path / ".bazelversion")
    assert time.monotonic() - started < 10
    lines = (tmp_path / "verdict").read_text().splitlines()
    assert lines[:2] == ["key", "no"]
    assert int(lines[2]) > time.time()
    assert lines[3] == "is bazel 7.4.0, which reached no module registry in 0 s"


def test_bazelisk_is_asked_for_the_repositorys_version(tmp_path):
    (tmp_path / ".bazelversion").write_text("7.5.0\n")
    program = tmp_path / "bazelisk"
    program.write_text('#!/bin/sh\nread -r version <.bazelversion\necho "bazel $version"\n')
    program.chmod(0o755)
    selection.probe(str(program), "key", tmp_path / "verdict", tmp_path / ".bazelversion")
    assert "is bazel 7.5.0, and" in (tmp_path / "verdict").read_text()
