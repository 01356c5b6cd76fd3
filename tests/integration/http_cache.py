"""Bazel's HTTP cache protocol on loopback: GET and PUT of /ac/<digest> and /cas/<digest>."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

from tools.bazel.prefix.remote_cache import Handler, RemoteCache

FAULTS = ("errors", "breaks off", "slow", "stalls")
"""What may be wrong: the server answers 503, ends a connection in mid-blob, takes 0.2 seconds for a
request, or sends half a blob and then nothing."""


class HttpCache(RemoteCache):
    """The server.

    Attributes:
        blobs: Bytes by path; a test may change them.
        fault: One of FAULTS, or nothing.
        authorization: The header that a request needs, or nothing.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.fault = ""
        self.authorization = ""
        self.released = threading.Event()


class _Handler(Handler):
    server: HttpCache

    def do_GET(self) -> None:  # noqa: N802
        if self._refused():
            return
        blob = self.server.blobs.get(self.path)
        if not blob or self.server.fault not in ("breaks off", "stalls"):
            super().do_GET()
            return
        self.head(200, len(blob))
        self.wfile.write(blob[: len(blob) // 2])
        if self.server.fault == "stalls":
            self.server.released.wait(60)
        self.close_connection = True

    def do_PUT(self) -> None:  # noqa: N802
        data = self.body()
        if not self._refused():
            self.server.blobs[self.path] = data
            self.head(204, 0)

    def _refused(self) -> bool:
        """Whether the request has been answered already."""
        if self.server.fault == "slow":
            time.sleep(0.2)
        status = 0
        if self.server.authorization != (self.headers["Authorization"] or ""):
            status = 401
        elif self.server.fault == "errors":
            status = 503
        if status:
            self.head(status, 0)
        return bool(status)


@contextlib.contextmanager
def running() -> Iterator[HttpCache]:
    """A server that ends with the context."""
    server = HttpCache()
    with server.running():
        try:
            yield server
        finally:
            server.released.set()
