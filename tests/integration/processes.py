"""What runs on behalf of a scratch workspace, by /proc."""

from __future__ import annotations

import os
import pathlib
import signal
import time
from collections.abc import Callable
from typing import TypeVar

from tests.integration.workspace import Workspace

Found = TypeVar("Found")


def wait_until(condition: Callable[[], Found], seconds: float = 180) -> Found:
    """Waits for a condition to hold, and returns what it is then."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def descendants(pid: int) -> list[int]:
    """Every process below one."""
    parents = {process: _parent(process) for process in _all()}
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def of_workspace(workspace: Workspace) -> set[int]:
    """The processes that work in the workspace's output tree, its Bazel server among them."""
    root = str(workspace.output_root)
    return {pid for pid in _all() if root in _command(pid) or root in _cwd(pid)}


def servers(workspace: Workspace) -> list[int]:
    """The workspace's Bazel server, if it runs."""
    files = workspace.output_root.glob("*/server/server.pid.txt")
    named = [int(text) for text in map(_read, files) if text]
    return [pid for pid in named if str(workspace.output_root) in _command(pid)]


def workers(workspace: Workspace, tool: str = "tools.") -> list[int]:
    """The persistent workers of a tool, such as ``tools.compiler``; of every tool if not given."""
    return [pid for pid in _of_tool(workspace, tool) if not _is_request(pid)]


def requests(workspace: Workspace, tool: str = "tools.") -> list[int]:
    """The requests that workers of a tool run at the moment, which are forks of them."""
    return [pid for pid in _of_tool(workspace, tool) if _is_request(pid)]


def kill(pid: int) -> bool:
    """Ends a process as the system does that has no memory left; returns whether it was there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _of_tool(workspace: Workspace, tool: str) -> list[int]:
    root = str(workspace.output_root)
    return [
        pid
        for pid in _all()
        if f"\0{tool}" in (command := _command(pid))
        and "\0--persistent_worker" in command
        and root in command + _cwd(pid)
    ]


def _is_request(pid: int) -> bool:
    """Whether a process is the fork of a worker."""
    return "--persistent_worker" in _command(_parent(pid))


def _all() -> list[int]:
    return [int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*")]


def _parent(pid: int) -> int:
    fields = _read(pathlib.Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()
    return int(fields[1]) if fields else 0


def _command(pid: int) -> str:
    return _read(pathlib.Path(f"/proc/{pid}/cmdline"))


def _read(path: pathlib.Path) -> str:
    """What a file says, nothing where it is gone."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _cwd(pid: int) -> str:
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""
