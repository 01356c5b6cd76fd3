"""Protects the persistent worker: requests run side by side, apart from each other, and end."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
RUNNER = ROOT / "tools/run_module.py"

# Where libraries may not stand a fork.
MACOS = (
    f"import runpy, sys; sys.platform = 'darwin'; runpy.run_path({str(RUNNER)!r}, None, '__main__')"
)


class Worker:
    """A worker process, seen from Bazel."""

    def __init__(self, directory: Path, python: tuple[str, ...] = (str(RUNNER),)) -> None:
        self.directory = directory
        self.temporary = directory / "tmp"
        self.temporary.mkdir()
        site = os.pathsep.join(path for path in sys.path if path)
        self.process = subprocess.Popen(
            [sys.executable, *python, str(ROOT), "tests.unit.worker.tool", "--persistent_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=directory,
            env={**os.environ, "PYTHONPATH": site, "TMPDIR": str(self.temporary)},
        )

    def send(self, request_id: int, *arguments: str, **fields: object) -> None:
        """Send a WorkRequest."""
        request = {"arguments": arguments, "requestId": request_id, **fields}
        self.process.stdin.write(json.dumps(request).encode() + b"\n")
        self.process.stdin.flush()

    def copy(self, request_id: int, source: str, output: str) -> None:
        """Request a copy of a file that Bazel knows the digest of."""
        digest = hashlib.sha256((self.directory / source).read_bytes()).hexdigest()
        inputs = [{"path": source, "digest": digest}]
        self.send(request_id, "copy", "--output", output, source, "log.txt", inputs=inputs)

    def receive(self) -> dict:
        """Return the next WorkResponse."""
        return json.loads(self.process.stdout.readline())

    def ask(self, *arguments: str, **fields: object) -> dict:
        """Return the answer to the only request."""
        self.send(1, *arguments, **fields)
        return self.receive()

    def resident(self) -> int:
        """Bytes of the worker's own memory."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.fixture
def worker(tmp_path):
    made = Worker(tmp_path)
    yield made
    made.process.stdin.close()
    assert made.process.wait(10) == 0


def ended(pid: int) -> bool:
    """Whether a process is gone, or is only waited for by its parent."""
    for _ in range(100):
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


def started(file: Path) -> list[int]:
    """The ids that the tool's command sleep writes."""
    for _ in range(200):
        if file.exists():
            return [int(pid) for pid in file.read_text().split()]
        time.sleep(0.05)
    raise AssertionError(f"{file} was not written")


def test_requests_share_what_is_loaded_and_nothing_else(worker):
    """A request finds the modules loaded and the state of a fresh process."""
    expected = {"exitCode": 0, "output": "call 1, preloaded True\n", "requestId": 1}
    assert [worker.ask("calls") for _ in range(3)] == [expected] * 3


def test_without_fork(tmp_path):
    """A new process a request does the same on systems where a fork is not safe."""
    worker = Worker(tmp_path, ("-c", MACOS))
    assert [worker.ask("calls")["output"] for _ in range(2)] == ["call 1, preloaded False\n"] * 2
    assert worker.ask("crash", "SIGKILL")["exitCode"] == 1
    assert os.listdir(worker.temporary) == []
    worker.send(7, "sleep", "pids")
    pids = started(tmp_path / "pids")
    worker.process.stdin.close()
    assert worker.process.wait(10) == 0
    assert all(map(ended, pids))


def test_other_bytes_are_another_request(worker, tmp_path):
    """Results are not shared where an input differs that no argument names."""
    (tmp_path / "a").write_text("same")
    for linker in ("first", "second"):
        inputs = [{"path": "a", "digest": "1"}, {"path": "bin/linker", "digest": linker}]
        worker.ask("copy", "--output", linker, "a", "log.txt", inputs=inputs)
    assert (tmp_path / "log.txt").read_text() == "a\na\n"


def test_temporary_files_of_a_crash_are_removed(worker):
    assert worker.ask("crash", "SIGKILL")["exitCode"] == 1
    assert os.listdir(worker.temporary) == []


def test_user_error_is_one_line(worker):
    assert worker.ask("fail", "a: b; c") == {
        "exitCode": 1,
        "output": "error: a: b; c\n",
        "requestId": 1,
    }


def test_exit_status(worker):
    assert worker.ask("exit", "3")["exitCode"] == 3


def test_bug_keeps_its_traceback_and_the_worker_lives(worker):
    answer = worker.ask("unknown")
    assert answer["exitCode"] == 1
    assert "KeyError: 'unknown'" in answer["output"]
    assert worker.ask("calls")["exitCode"] == 0


@pytest.mark.parametrize(("name", "hint"), [("SIGKILL", "out of memory"), ("SIGSEGV", "SIGSEGV")])
def test_crash_fails_one_request_with_one_line(worker, name, hint):
    """An out-of-memory kill ends one request; the worker answers and goes on."""
    answer = worker.ask("crash", name)
    assert answer["exitCode"] == 1
    printed, error = answer["output"].splitlines()
    assert printed == "before the crash"
    assert error.startswith(f"error: the tool was ended by {name}")
    assert hint in error
    assert worker.ask("calls")["exitCode"] == 0


def test_requests_run_side_by_side(worker, tmp_path):
    """A short request is answered while a long one runs."""
    worker.send(1, "sleep", "pids")
    worker.send(2, "calls")
    assert worker.receive()["requestId"] == 2
    worker.send(1, cancel=True)
    assert worker.receive()["wasCancelled"]


def test_cancel_ends_the_request_and_what_it_started(worker, tmp_path):
    worker.send(7, "sleep", "pids")
    pids = started(tmp_path / "pids")
    worker.send(7, cancel=True)
    assert worker.receive() == {
        "exitCode": 0,
        "output": "",
        "requestId": 7,
        "wasCancelled": True,
    }
    assert all(map(ended, pids))


def test_cancel_of_an_answered_request_is_not_answered(worker):
    worker.ask("calls")
    worker.send(1, cancel=True)
    assert worker.ask("exit", "2")["exitCode"] == 2


def test_equal_requests_run_once(worker, tmp_path):
    """Two targets that ask for the same at the same time, and one later, get one run's result."""
    for name in ("a", "b", "c"):
        (tmp_path / name).write_text("same" if name < "c" else "other")
    worker.copy(1, "a", "out/1.tar")
    worker.copy(2, "b", "out/2.tar")
    worker.copy(3, "c", "out/3.tar")
    answers = [worker.receive() for _ in range(3)]
    assert sorted(answer["requestId"] for answer in answers) == [1, 2, 3]
    worker.copy(4, "b", "out/4.tar")
    answers.append(worker.receive())
    assert {(answer["exitCode"], answer["output"]) for answer in answers} == {(0, "copied\n")}
    assert sorted((tmp_path / "log.txt").read_text().split()) == ["a", "c"]
    contents = [(tmp_path / f"out/{i}.tar").read_text() for i in range(1, 5)]
    assert contents == ["same", "same", "other", "same"]


def test_one_of_many_workers_keeps_no_results(worker, tmp_path):
    """A worker whose requests have no id gets one at a time, and there are others beside it."""
    (tmp_path / "a").write_text("same")
    for name in ("1", "2"):
        worker.copy(0, "a", name)
        assert worker.receive()["exitCode"] == 0
    assert (tmp_path / "log.txt").read_text().split() == ["a", "a"]


def test_output_of_another_kind_is_another_request(worker, tmp_path):
    (tmp_path / "a").write_text("same")
    worker.copy(1, "a", "out.tar")
    worker.copy(2, "a", "out.so")
    assert [worker.receive()["exitCode"] for _ in range(2)] == [0, 0]
    assert (tmp_path / "log.txt").read_text().split() == ["a", "a"]


def test_failure_is_not_shared(worker, tmp_path):
    """Each of two equal requests that fail says so about its own files."""
    (tmp_path / "a").write_text("bad")
    worker.copy(1, "a", "1")
    worker.copy(2, "a", "2")
    answers = sorted((worker.receive() for _ in range(2)), key=lambda answer: answer["requestId"])
    assert [answer["output"] for answer in answers] == [
        "error: --output 1: bad\n",
        "error: --output 2: bad\n",
    ]


@pytest.mark.parametrize("cancelled", [1, 2])
def test_cancel_of_one_of_two_equal_requests(worker, tmp_path, cancelled):
    """Whichever is cancelled, the other gets its files."""
    (tmp_path / "a").write_text("same")
    worker.copy(1, "a", "1")
    worker.copy(2, "a", "2")
    worker.send(cancelled, cancel=True)
    answers = {answer["requestId"]: answer for answer in (worker.receive() for _ in range(2))}
    other = 3 - cancelled
    assert answers[cancelled]["wasCancelled"]
    assert answers[other] == {"exitCode": 0, "output": "copied\n", "requestId": other}
    assert (tmp_path / str(other)).read_text() == "same"


def test_full_disk_fails_the_request_that_waited(worker, tmp_path):
    """A shared result that cannot be written is one line, and the worker lives."""
    (tmp_path / "a").write_text("same")
    (tmp_path / "file").write_text("")
    worker.copy(1, "a", "1")
    assert worker.receive()["exitCode"] == 0
    worker.copy(2, "a", "file/2")
    answer = worker.receive()
    assert answer["exitCode"] == 1
    assert answer["output"].startswith("error: ")
    assert worker.ask("calls")["exitCode"] == 0


def test_memory_does_not_grow(worker):
    """A hundred requests leave the worker as large as one does."""
    worker.ask("allocate", "64")
    first = worker.resident()
    for _ in range(100):
        assert worker.ask("allocate", "64")["exitCode"] == 0
    assert worker.resident() < first + (4 << 20)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGKILL"])
def test_death_of_the_worker_ends_its_requests(tmp_path, name):
    worker = Worker(tmp_path)
    worker.send(1, "sleep", "pids")
    tool, _ = started(tmp_path / "pids")
    worker.process.send_signal(getattr(signal, name))
    worker.process.wait(10)
    worker.process.stdin.close()
    assert ended(tool)


def test_end_of_input_ends_the_requests(tmp_path):
    worker = Worker(tmp_path)
    worker.send(1, "sleep", "pids")
    pids = started(tmp_path / "pids")
    worker.process.stdin.close()
    assert worker.process.wait(10) == 0
    assert all(map(ended, pids))
