"""A remote cache on the loopback, for the recorded server: blobs in memory, by their path."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator


class RemoteCache(http.server.ThreadingHTTPServer):
    """Bazel's HTTP cache protocol: GET and PUT of /ac/<digest> and /cas/<digest>.

    Args:
        handler: What answers a request.

    Attributes:
        blobs: Bytes by path.
    """

    daemon_threads = True

    def __init__(self, handler: type[Handler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.blobs: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        """What `--remote_cache` takes."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Serves until the context ends."""
        thread = threading.Thread(target=self.serve_forever)
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            thread.join()
            self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers a request of one."""

    server: RemoteCache
    protocol_version = "HTTP/1.1"
    # Else a body waits 40 ms for the client to acknowledge the headers.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        """Answers with the blob."""
        blob = self.server.blobs.get(self.path)
        self.head(404 if blob is None else 200, len(blob or b""))
        self.wfile.write(blob or b"")

    def do_PUT(self) -> None:
        """Keeps the blob."""
        self.server.blobs[self.path] = self.body()
        self.head(204, 0)

    def body(self) -> bytes:
        """Returns the blob of a PUT."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def head(self, status: int, length: int) -> None:
        """Sends what precedes a blob."""
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing of any request."""
