"""Bazel's HTTP cache protocol on loopback: GET and PUT of /ac/<digest> and /cas/<digest>."""

from __future__ import annotations

import contextlib
import http.server
import threading
import time
from collections.abc import Iterator

FAULTS = ("errors", "breaks off", "slow", "stalls")
"""What may be wrong: the server answers 503, ends a connection in mid-blob, takes 0.2 seconds for a
request, or sends half a blob and then nothing."""


class HttpCache(http.server.ThreadingHTTPServer):
    """The server.

    Attributes:
        blobs: Bytes by path; a test may change them.
        fault: One of FAULTS, or nothing.
        authorization: The header that a request needs, or nothing.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.blobs: dict[str, bytes] = {}
        self.fault = ""
        self.authorization = ""
        self.released = threading.Event()

    @property
    def url(self) -> str:
        """What `--remote_cache` takes."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Else a body waits 40 ms for the client to acknowledge the headers.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self._refused():
            return
        blob = self.server.blobs.get(self.path)
        self._head(404 if blob is None else 200, len(blob or b""))
        if self.server.fault in ("breaks off", "stalls") and blob:
            self.wfile.write(blob[: len(blob) // 2])
            if self.server.fault == "stalls":
                self.server.released.wait(60)
            self.close_connection = True
        else:
            self.wfile.write(blob or b"")

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if not self._refused():
            self.server.blobs[self.path] = data
            self._head(204, 0)

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
            self._head(status, 0)
        return bool(status)

    def _head(self, status: int, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a test's output is for its failures."""


@contextlib.contextmanager
def running() -> Iterator[HttpCache]:
    """A server that ends with the context."""
    server = HttpCache()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
