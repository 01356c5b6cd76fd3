"""Progress on stderr: one line that is rewritten on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time


def say(message: str) -> None:
    """Shows a line of the launcher on stderr."""
    print(f"bazelw: {message}", file=sys.stderr, flush=True)


class Progress:
    """Counts the bytes of a download and shows them, safe to call from several threads."""

    def __init__(self, what: str, total: int) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._lock = threading.Lock()
        self._terminal = sys.stderr.isatty()
        self._interval = 0.1 if self._terminal else 5.0
        self._shown_at = time.monotonic()

    def __call__(self, name: str, nbytes: int) -> None:
        """Adds ``nbytes`` (negative where bytes turned out to be wrong) of the file ``name``."""
        with self._lock:
            self._done += nbytes
            now = time.monotonic()
            if now - self._shown_at >= self._interval:
                self._shown_at = now
                self._show(name)

    def finish(self) -> None:
        """Shows the last state and ends the line."""
        with self._lock:
            self._show("done")
            if self._terminal:
                print(file=sys.stderr)

    def _show(self, name: str) -> None:
        percent = 100 * self._done // self._total if self._total else 100
        line = f"{self._what}: {self._done / 1e6:.1f} of {self._total / 1e6:.1f} MB, {percent}%"
        if self._terminal:
            print(f"\r\033[Kbazelw: {line} ({name})", end="", file=sys.stderr, flush=True)
        else:
            say(line)
