"""Protects the cache of the private Bazel's server: made once, or not at all and that is said."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.unit.bazel.test_install import kill, wait_until
from tools.bazel.errors import LauncherError
from tools.bazel.prefix import server_cache


def cache(launcher) -> Path:
    """The cache of the only install, and nothing else that its making would leave."""
    (prefix,) = launcher.installs()
    assert prefix.suffix == ""
    assert knowing(prefix.with_name(prefix.name + ".building")) == []
    assert not list(prefix.glob("*.config"))
    return prefix / server_cache.NAME


def knowing(scratch: Path) -> list[str]:
    """The processes that know a path, and this one does not."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "environ").read_bytes() + (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if os.fsencode(scratch) in text:
            found.append(folder.name)
    return found


def test_every_call_names_the_same_cache_which_the_install_made(launcher):
    first, second = launcher.run("version"), launcher.run("version")
    assert cache(launcher).read_text() == "a cache"
    flag = f"--host_jvm_args=-XX:AOTCache={cache(launcher)}\n"
    assert flag in first.stdout
    assert flag in second.stdout
    assert second.stderr == ""


def test_what_is_recorded_takes_the_settings_of_the_install_alone(launcher, tmp_path, monkeypatch):
    launcher.run("version")
    (prefix,) = launcher.installs()
    calls = []
    monkeypatch.setattr(server_cache.subprocess, "run", lambda *a, **kw: calls.append((*a, kw)))
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(LauncherError, match="wrote none"):
        server_cache.make(prefix, scratch)
    assert len(calls) > 2
    assert calls[-1][0][-1] == "shutdown"
    for command, options in calls:
        assert {"--nosystem_rc", "--nohome_rc", "--noworkspace_rc"} < set(command)
        assert f"--bazelrc={prefix}/bazelrc" in command
        assert f"--output_base={scratch}/base" in command
        assert options["cwd"].parent == scratch


@pytest.mark.parametrize("outcome", ["fails", "half"])
def test_without_a_cache_the_install_is_complete_and_says_so_once(launcher, outcome):
    done = launcher.run("version", FAKE_RECORD=outcome)
    assert done.returncode == 0
    lines = [line for line in done.stderr.splitlines() if "no cache" in line]
    assert len(lines) == 1, done.stderr
    assert lines[0].endswith("starts slowly without it: the server's JVM wrote none")
    assert cache(launcher).read_bytes() == b""
    launcher.python_calls.unlink()
    assert launcher.run("version").stderr == ""
    assert not launcher.python_calls.exists()


def test_one_that_takes_too_long_is_given_up_with_all_its_processes(launcher):
    code = launcher.prefix / "server_cache.py"
    text = code.read_text()
    assert "_SECONDS = 120\n" in text
    code.write_text(text.replace("_SECONDS = 120\n", "_SECONDS = 1\n"))
    done = launcher.run("version", FAKE_RECORD="hangs")
    assert done.returncode == 0
    assert "it takes more than 1 s" in done.stderr
    assert cache(launcher).read_bytes() == b""


def test_killed_while_it_is_made_it_is_made_by_the_next_call(launcher, mirror):
    process = launcher.start("version", FAKE_RECORD="hangs")
    wait_until(lambda: any(launcher.cache.glob("*.building/workspace/*")), process)
    kill(process)
    (prefix, _) = launcher.installs()
    before = prefix.stat().st_ino
    requests = len(mirror.requests)
    done = launcher.run("version")
    assert done.returncode == 0
    assert "starts fast" in done.stderr
    assert cache(launcher).read_text() == "a cache"
    assert prefix.stat().st_ino == before
    assert len(mirror.requests) == requests


def test_what_a_killed_launcher_left_running_is_ended_and_nothing_else(tmp_path):
    def started(name: str) -> subprocess.Popen:
        environment = {**os.environ, "RECORD": f"{tmp_path}/{name}/server.aot"}
        return subprocess.Popen(["sleep", "60"], env=environment, start_new_session=True)

    orphan, other = started("a.building"), started("b.building")
    server_cache.end_processes(tmp_path / "a.building")
    assert orphan.wait(timeout=10) == -9
    assert other.poll() is None
    other.kill()
    other.wait()
