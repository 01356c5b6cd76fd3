"""Bazel's HTTP cache protocol on loopback: GET and PUT of /ac/<digest> and /cas/<digest>."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator


class HttpCache(http.server.ThreadingHTTPServer):
    """The server. `blobs` maps a path to its bytes, and may be changed by a test."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.blobs: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        """What `--remote_cache` takes."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        blob = self.server.blobs.get(self.path)
        self.send_response(404 if blob is None else 200)
        self.send_header("Content-Length", str(len(blob or b"")))
        self.end_headers()
        self.wfile.write(blob or b"")

    def do_PUT(self) -> None:
        self.server.blobs[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.send_header("Content-Length", "0")
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
        server.shutdown()
        thread.join()
        server.server_close()
