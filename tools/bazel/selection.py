"""Finds out, once, whether a Bazel on PATH can be used: recent enough, and with a registry.

The verdict is a file of four lines, which ``bazelw`` reads: the key (path, inode,
size, times of modification and of change of the program), ``yes`` or ``no``, the time (seconds
since 1970) until which a ``no`` holds, and what there is to say.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from .progress import say

OLDEST = (7, 4)
"""The oldest version of Bazel that this module works with."""

LIMIT = 60.0
"""Seconds that a Bazel has to resolve a module."""

RETRY_AFTER = 24 * 3600
"""Seconds after which a Bazel that was of no use is asked again."""

PROBING = "MLC_BAZELW_PROBING"
"""Set in the environment of a Bazel that is being asked: one that is ``bazelw`` itself ends."""

_MODULE = 'module(name = "probe")\nbazel_dep(name = "platforms", version = "0.0.11")\n'


def probe(program: str, key: str, verdict: Path, bazelversion: Path) -> None:
    """Asks a Bazel (or bazelisk) for its version and to resolve a tiny module; writes the verdict.

    Args:
        program: Path of the program.
        key: First line of the verdict: what the program is recognised by.
        verdict: File to write.
        bazelversion: The repository's ``.bazelversion``, which bazelisk goes by; may be missing.
    """
    say(f"checking once whether {program} can be used (at most {LIMIT:.0f} s)")
    usable, text = _ask(program, bazelversion)
    until = 0 if usable else int(time.time()) + RETRY_AFTER
    verdict.parent.mkdir(parents=True, exist_ok=True)
    temporary = verdict.with_name(f"{verdict.name}.{os.getpid()}")
    temporary.write_text(f"{key}\n{'yes' if usable else 'no'}\n{until}\n{text}\n", encoding="utf-8")
    os.replace(temporary, verdict)


def _ask(program: str, bazelversion: Path) -> tuple[bool, str]:
    """Returns whether the program can be used, and its version or what is wrong with it."""
    deadline = time.monotonic() + LIMIT
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        workspace = Path(folder, "workspace")
        workspace.mkdir()
        (workspace / "MODULE.bazel").write_text(_MODULE, encoding="utf-8")
        if bazelversion.is_file():
            shutil.copy(bazelversion, workspace)
        status, output = _run([program, "--version"], workspace, deadline)
        match = re.search(r"^bazel (\d+)\.(\d+)\S*", output, re.MULTILINE)
        if status != 0 or match is None:
            return False, "does not tell its version"
        if (int(match.group(1)), int(match.group(2))) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            return False, f"is {match.group()}, older than {oldest}"
        # --batch: no server stays behind, and the whole of it ends when it is killed.
        startup = ["--batch", f"--output_base={folder}/output"]
        status, _ = _run([program, *startup, "mod", "graph"], workspace, deadline)
        if status is None:
            return False, f"is {match.group()}, which reached no module registry in {LIMIT:.0f} s"
        if status != 0:
            return False, f"is {match.group()}, which reached no module registry"
        return True, f"is {match.group()}, and reaches a module registry"


def _run(command: list[str], folder: Path, deadline: float) -> tuple[int | None, str]:
    """Returns the exit status (None: killed at the deadline) and what was printed on stdout."""
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, PROBING: "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError:
        return 1, ""
    try:
        output, _ = process.communicate(timeout=max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return None, ""
    return process.returncode, output
