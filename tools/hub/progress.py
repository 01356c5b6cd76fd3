"""A progress bar on a terminal; nothing anywhere else."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType

_WIDTH = 30  # characters
_INTERVAL = 0.1  # seconds


class Progress:
    """Counts items and shows ``what [####......] 12/200`` on stderr, in one line."""

    def __init__(self, what: str, total: int) -> None:
        """Shows nothing yet.

        Args:
            what: What is being done.
            total: How many items there are.
        """
        self._what = what
        self._total = total
        self._done = 0
        self._shown = 0.0
        self._lock = threading.Lock()
        self._terminal = sys.stderr.isatty()

    def __enter__(self) -> Progress:
        self._show()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def advance(self) -> None:
        """Counts one more item."""
        with self._lock:
            self._done += 1
            if self._done == self._total or time.monotonic() - self._shown > _INTERVAL:
                self._show()

    def _show(self) -> None:
        if not self._terminal:
            return
        self._shown = time.monotonic()
        filled = _WIDTH * self._done // max(self._total, 1)
        bar = "#" * filled + "." * (_WIDTH - filled)
        sys.stderr.write(f"\r\x1b[K{self._what} [{bar}] {self._done}/{self._total}")
        sys.stderr.flush()
