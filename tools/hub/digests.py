"""md5 and sha256 of a stream, computed beside the thread that reads it."""

from __future__ import annotations

import hashlib
import queue
import threading
from typing import Any

_WAITING = 16  # chunks of at most 1 MiB that a slower thread may be behind


class Digests:
    """Takes bytes in order; each digest has a thread, and the reader waits for neither.

    Attributes:
        nbytes: How many bytes there were.
    """

    def __init__(self) -> None:
        """Starts with nothing."""
        self.nbytes = 0
        self._workers = [_Worker(hashlib.md5(usedforsecurity=False)), _Worker(hashlib.sha256())]

    def update(self, data: bytes | memoryview) -> None:
        """Adds bytes, which nobody may change afterwards."""
        self.nbytes += len(data)
        for worker in self._workers:
            worker.put(data)

    def result(self) -> dict[str, Any]:
        """Returns ``{"nbytes", "md5", "sha256"}`` of all bytes so far."""
        md5, sha256 = (worker.hexdigest() for worker in self._workers)
        return {"nbytes": self.nbytes, "md5": md5, "sha256": sha256}

    def close(self) -> None:
        """Ends the threads."""
        for worker in self._workers:
            worker.close()


class _Worker:
    def __init__(self, digest: Any) -> None:
        self._digest = digest
        self._chunks: queue.Queue[bytes | memoryview | None] = queue.Queue(_WAITING)
        self._thread: threading.Thread | None = None

    def put(self, data: bytes | memoryview) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, daemon=True)
            self._thread.start()
        self._chunks.put(data)

    def hexdigest(self) -> str:
        self._chunks.join()
        return self._digest.hexdigest()

    def close(self) -> None:
        if self._thread:
            self._chunks.put(None)
            self._thread.join()

    def _run(self) -> None:
        while (data := self._chunks.get()) is not None:
            self._digest.update(data)
            self._chunks.task_done()
