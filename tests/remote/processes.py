"""Servers as ordinary processes: what tests/remote/install.py has installed, on loopback alone."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import time
from collections.abc import Callable

PATIENCE = 120.0
"""Seconds that a server has to start, or to end."""


def installed(pattern: str) -> pathlib.Path:
    """A path of the install that MLC_REMOTE_SERVERS names.

    Raises:
      AssertionError: It is not there.
    """
    directory = os.environ.get("MLC_REMOTE_SERVERS", "")
    found = sorted(pathlib.Path(directory).glob(pattern)) if directory else []
    assert found, (
        f"MLC_REMOTE_SERVERS is {directory!r}, which has no {pattern}: run"
        " `python3 tests/remote/install.py DIRECTORY`, and set it to that directory"
    )
    return found[-1]


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port: int) -> bool:
    """Whether a connection to a port of loopback is taken."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_for(ready: Callable[[], bool], what: str, process: Process) -> None:
    """Return as soon as `ready` is true; a process that does not get there is ended.

    Raises:
      AssertionError: It is not in time, or the process that it waits for has ended.
    """
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if process.popen.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise AssertionError(f"{what} does not serve\n{process.printed()}")
        time.sleep(0.05)


class Process:
    """A server that runs until it is ended; what it prints is in `log`."""

    def __init__(self, log: pathlib.Path, *command: str | pathlib.Path, **environment: str) -> None:
        self.log = log
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(
                command,
                cwd=log.parent,
                env={"PATH": os.environ["PATH"], "HOME": str(log.parent), **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def printed(self) -> str:
        """The end of what the process has printed."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-2000:]

    def end(self) -> None:
        """Ask the process to end, and insist after a while."""
        self.popen.terminate()
        try:
            self.popen.wait(3)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End the process, and those it has started, at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()
