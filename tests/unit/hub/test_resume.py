"""What came before a kill, a full disk or another process is used, and never believed blindly."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.hub.faults import stalled
from tests.hub.repository import sha256
from tests.unit.hub.conftest import FILES, SHARD
from tools.hub.partial import SHA256_ATTRIBUTE

ROOT = Path(__file__).parents[3]
DATA = FILES[SHARD]
HALF = 1 << 20
PART = f".{sha256(DATA)}.part"
COMMAND = [sys.executable, "-B", "-m", "tools.hub"]


def _ranges(hub):
    return [request.headers.get("range") for request in hub.asked("storage")]


def _start(commands, *arguments, **changes):
    command = [*COMMAND, *commands.fetch_arguments(**changes), *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE)


def _wait_for_bytes(path, nbytes):
    for _ in range(500):
        if path.exists() and path.stat().st_size >= nbytes:
            return
        time.sleep(0.02)
    raise AssertionError(f"{path.name} never had {nbytes} bytes")


def test_killed_in_mid_download(commands, hub, tmp_path):
    partial_dir = tmp_path / "partial"
    hub.fail("storage", "*", stalled(HALF))
    process = _start(commands, "--partial-dir", partial_dir)
    assert hub.silent.wait(30)
    _wait_for_bytes(partial_dir / PART, HALF)
    process.kill()
    process.communicate(timeout=30)
    assert not commands.output.exists()
    result = commands.fetch("--partial-dir", partial_dir)
    assert (result.status, result.err) == (0, "")
    assert _ranges(hub) == [None, f"bytes={HALF}-"]
    assert commands.output.read_bytes() == DATA
    assert os.listdir(partial_dir) == [sha256(DATA)]


def test_resumes_beside_the_output(commands, hub):
    commands.output.parent.mkdir()
    (commands.output.parent / PART).write_bytes(DATA[:HALF])
    assert commands.fetch().status == 0
    assert _ranges(hub) == [f"bytes={HALF}-"]
    assert commands.output.read_bytes() == DATA
    assert commands.leftovers() == []


def test_complete_partial_needs_no_request(commands, hub):
    commands.output.parent.mkdir()
    (commands.output.parent / PART).write_bytes(DATA)
    assert commands.fetch().status == 0
    assert not hub.requests
    assert commands.output.read_bytes() == DATA


@pytest.mark.parametrize("spoilt", [bytes(HALF), bytes(len(DATA)), DATA + b"more"])
def test_spoilt_partial_is_thrown_away(commands, hub, spoilt):
    commands.output.parent.mkdir()
    (commands.output.parent / PART).write_bytes(spoilt)
    assert commands.fetch().status == 0
    assert _ranges(hub)[-1] is None
    assert commands.output.read_bytes() == DATA
    assert commands.leftovers() == []


def test_two_processes_at_once(commands, hub, tmp_path):
    partial_dir = tmp_path / "partial"
    outputs = [tmp_path / str(index) for index in range(3)]
    hub.fail("storage", "*", stalled(HALF))
    processes = [
        _start(commands, "--partial-dir", partial_dir, output=output) for output in outputs
    ]
    assert hub.silent.wait(30)
    assert len(hub.asked("storage")) == 1, "the others wait for the first"
    hub.release.set()
    for process, output in zip(processes, outputs, strict=True):
        assert process.communicate(timeout=60) == (None, b"")
        assert output.read_bytes() == DATA
    assert os.listdir(partial_dir) == [sha256(DATA)]
    assert _ranges(hub) == [None, f"bytes={HALF}-"], "the others copy what the first has"


def test_file_of_an_earlier_run(commands, hub, tmp_path):
    partial_dir = tmp_path / "partial"
    first, second, third = (tmp_path / name for name in ("1", "2", "3"))
    for output in (first, second):
        assert commands.fetch("--partial-dir", partial_dir, output=output).status == 0
    assert len(hub.asked("storage")) == 1
    first.unlink()
    second.write_bytes(DATA[::-1])
    assert commands.fetch("--partial-dir", partial_dir, output=third).status == 0
    assert third.read_bytes() == DATA
    assert len(hub.asked("storage")) == 2, "it is gone, or has other bytes now"


def test_first_of_two_processes_is_killed(commands, hub, tmp_path):
    partial_dir = tmp_path / "partial"
    hub.fail("storage", "*", stalled(HALF))
    first = _start(commands, "--partial-dir", partial_dir)
    assert hub.silent.wait(30)
    _wait_for_bytes(partial_dir / PART, HALF)
    second = _start(commands, "--partial-dir", partial_dir)
    first.kill()
    first.communicate(timeout=30)
    assert second.communicate(timeout=60) == (None, b"")
    assert _ranges(hub) == [None, f"bytes={HALF}-"]
    assert commands.output.read_bytes() == DATA


def test_full_disk(commands, hub, tmp_path):
    partial_dir = tmp_path / "partial"
    partial_dir.mkdir()
    (partial_dir / PART).symlink_to("/dev/full")
    result = commands.fetch("--partial-dir", partial_dir)
    assert (result.status, result.out) == (1, "")
    assert result.err == (
        f"error: {partial_dir / PART}: the disk is full; free some space and run again\n"
    )
    assert not commands.output.exists()
    assert len(hub.asked("storage")) == 1, "a full disk is not retried"


def test_full_disk_in_mid_file(commands, hub, monkeypatch, tmp_path):
    """What came is kept, but for what Bazel needs to tell of it."""
    partial_dir = tmp_path / "partial"
    real, chunk = os.write, 1 << 20

    def write(fd, data):
        if os.fstat(fd).st_size + len(data) > HALF + chunk:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data)

    monkeypatch.setattr(os, "write", write)
    assert "the disk is full" in commands.fetch("--partial-dir", partial_dir).err
    monkeypatch.undo()
    kept = (partial_dir / PART).stat().st_size
    assert 0 < kept <= HALF
    assert commands.fetch("--partial-dir", partial_dir).status == 0
    assert commands.output.read_bytes() == DATA
    assert _ranges(hub) == [None, f"bytes={kept}-"]


def test_disk_with_too_little_room(commands, hub, monkeypatch, tmp_path):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    result = commands.fetch("--partial-dir", tmp_path)
    assert result.err == (
        f"error: {tmp_path / PART}: the disk is full: 0.0 MB are free, {len(DATA) / 1e6:.1f} MB "
        "are needed; free some space and run again\n"
    )
    assert not hub.asked("storage")


def test_output_that_cannot_be_written(commands):
    commands.output.mkdir(parents=True)
    result = commands.fetch()
    assert result.err == (
        f"error: {commands.output}: Is a directory; expected a place that can be written\n"
    )
    assert commands.leftovers() == [PART], "the bytes are kept for the next run"


def test_partial_on_another_file_system(commands, monkeypatch, tmp_path):
    real = os.replace

    def replace(source, target):
        if str(source).endswith(".part"):
            raise OSError(18, "Invalid cross-device link")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    result = commands.fetch("--partial-dir", tmp_path / "partial")
    assert (result.status, result.err) == (0, "")
    assert commands.output.read_bytes() == DATA
    assert os.getxattr(commands.output, SHA256_ATTRIBUTE).hex() == sha256(DATA)
    assert commands.leftovers() == []
    assert os.listdir(tmp_path / "partial") == [sha256(DATA)]


def test_memory_does_not_grow_with_the_file(commands, hub, model):
    data = bytes(192 << 20)
    commit = model.commit({"big.bin": data})
    changes = {"commit": commit, "path": "big.bin", "sha256": sha256(data), "nbytes": len(data)}
    code = "import sys; from tools.hub.__main__ import main; main(sys.argv[1:])"
    peak = "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0])"
    done = subprocess.run(
        [sys.executable, "-B", "-c", f"{code}; {peak}", *commands.fetch_arguments(**changes)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=60,
        check=True,
    )
    assert commands.output.stat().st_size == len(data)
    assert int(done.stdout) * 1024 < 150e6
