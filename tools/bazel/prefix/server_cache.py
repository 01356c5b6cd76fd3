"""The cache that lets Bazel's server start fast: its classes, loaded and linked ahead of time.

The JVM makes it (JEP 483, 514): a server that is told so records what it loads while it runs the
commands of `training`, and writes that when it ends. A server that is given the file starts from
it; one that finds none, or one that it cannot use, starts without, and tells the user nothing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from ..errors import LauncherError
from . import training
from .remote_cache import Handler, RemoteCache

NAME = "server.aot"
"""The cache's file in an install; it is empty where none could be made."""

_SECONDS = 120
"""How long it may take."""

_IDLE_SECONDS = 15
"""After that a server ends by itself, should its launcher be killed."""


def make(prefix: Path, scratch: Path) -> None:
    """Writes ``prefix / NAME``, at once when it is complete.

    Args:
        prefix: The install, where it stays: the JVM compares the paths and times of its jars.
        scratch: An empty folder on the same file system, which `end_processes` takes the name of.
            What stays in it is of no more use.

    Raises:
        LauncherError: There is no cache; the text says why. No process stays behind.
        OSError: The disk is full, or no process could be started.
    """
    output = scratch / NAME
    workspace = scratch / "workspace"
    workspace.mkdir()
    for name, text in training.FILES.items():
        (workspace / name).write_text(text, encoding="utf-8")
    bazel = [
        prefix / "usr/bin/bazel",
        f"--install_base={prefix}/usr/share/bazel",
        "--trust_install_base",
        f"--server_javabase={prefix}/jre",
        f"--host_jvm_args=-XX:AOTCacheOutput={output}",
        f"--max_idle_secs={_IDLE_SECONDS}",
        f"--output_user_root={scratch}/root",
        f"--output_base={scratch}/base",
        *("--nosystem_rc", "--nohome_rc", "--noworkspace_rc"),
        *(f"--bazelrc={prefix}/{name}" for name in ("bazelrc", "no-c-compiler.bazelrc")),
    ]
    deadline = time.monotonic() + _SECONDS
    try:
        cache = RemoteCache(Handler)
        with cache.running():
            for command in (*training.commands(cache.url), ("shutdown",)):
                _run([*bazel, *command], workspace, deadline)
    except subprocess.TimeoutExpired:
        raise LauncherError(f"it takes more than {_SECONDS} s") from None
    finally:
        end_processes(scratch)
    if not _is_complete(output):
        raise LauncherError("the server's JVM wrote none")
    os.replace(output, prefix / NAME)


def end_processes(scratch: Path) -> None:
    """Ends, by their ids, the processes that know the path ``scratch``: this module started them.

    A server names it among its arguments, and the JVM that it starts to write the cache in its
    environment.
    """
    while pids := _processes(os.fsencode(scratch)):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def _run(command: Sequence[str | Path], workspace: Path, deadline: float) -> None:
    """Runs a command, whatever it says and however it ends: the record is what counts."""
    subprocess.run(
        command,
        cwd=workspace,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=max(0.0, deadline - time.monotonic()),
    )


def _is_complete(path: Path) -> bool:
    """Whether the JVM has written the file to its end: the header is what it writes last."""
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return any(file.read(4))


def _processes(name: bytes) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[1-9]*"):
        for file in ("cmdline", "environ"):
            # Those of others cannot be read, and any may have ended meanwhile.
            with contextlib.suppress(OSError):
                if name in (folder / file).read_bytes():
                    found.append(int(folder.name))
    return [pid for pid in found if pid != os.getpid()]
