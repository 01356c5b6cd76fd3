"""One request in a process of its own: it leaves nothing behind in the worker, and may crash."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


class Child:
    """A process that runs the tool once; what it prints can be read from `output`.

    Attributes:
        output: File descriptor of stdout and stderr; at its end once the process has ended.
    """

    def __init__(self, pid: int, output: int, scratch: Path) -> None:
        os.set_blocking(output, False)
        self._pid = pid
        self._scratch = scratch
        self.output = output
        self._printed = bytearray()

    def read(self) -> bool:
        """Reads what was printed since; returns False once the process has ended."""
        try:
            data = os.read(self.output, 1 << 16)
        except BlockingIOError:
            return True
        self._printed += data
        return bool(data)

    def kill(self) -> None:
        """Ends the process and those it started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGKILL)

    def finish(self) -> tuple[int, str]:
        """Waits for the process; returns its exit status and what it printed.

        A process that a signal ended has status 1 and one line that says so. Its temporary files
        are removed, which it cannot do itself when it was killed, or LLVM found the disk full.
        """
        os.close(self.output)
        _, status = os.waitpid(self._pid, 0)
        shutil.rmtree(self._scratch, ignore_errors=True)
        printed = self._printed.decode(errors="replace")
        code = os.waitstatus_to_exitcode(status)
        if code >= 0:
            return code, printed
        name = signal.Signals(-code).name
        hint = "; the machine may be out of memory: build with fewer --jobs" if code == -9 else ""
        return 1, f"{printed}error: the tool was ended by {name}{hint}\n"


def fork(main: Callable[[list[str]], NoReturn], arguments: list[str]) -> Child:
    """Runs a loaded tool in a copy of this process.

    Args:
        main: Takes the arguments and exits.
        arguments: The tool's arguments.
    """
    read, write = os.pipe()
    scratch = _scratch()
    parent = os.getpid()
    pid = os.fork()
    if pid:
        os.close(write)
        return Child(pid, read, scratch)
    status = 1
    try:
        _become_child(parent, write, scratch)
        main(arguments)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def spawn(command: list[str], arguments: list[str]) -> Child:
    """Runs a tool in a new process, for systems whose libraries do not stand a fork.

    Args:
        command: What starts the tool.
        arguments: The tool's arguments.
    """
    read, write = os.pipe()
    scratch = _scratch()
    with contextlib.suppress(OSError):
        scratch.mkdir(mode=0o700)
    process = subprocess.Popen(
        [*command, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=write,
        stderr=write,
        env={**os.environ, "TMPDIR": str(scratch)},
        start_new_session=True,
    )
    os.close(write)
    process.returncode = 0  # `finish` waits for it.
    return Child(process.pid, read, scratch)


def _scratch() -> Path:
    """Returns the name of a folder for the temporary files of a request; it is not there yet."""
    return Path(os.environ.get("TMPDIR") or "/tmp", f"mlc-{secrets.token_hex(8)}")


def _become_child(parent: int, output: int, scratch: Path) -> None:
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    null = os.open(os.devnull, os.O_RDONLY)
    for target, source in enumerate((null, output, output)):
        os.dup2(source, target)
    with contextlib.suppress(OSError):  # Where none can be made, the tool will say so.
        scratch.mkdir(mode=0o700)
        tempfile.tempdir = os.environ["TMPDIR"] = str(scratch)
