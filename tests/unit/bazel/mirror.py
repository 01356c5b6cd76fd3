"""A mirror on loopback that serves files from memory, with faults."""

from __future__ import annotations

import http.server
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Mirror:
    """What a mirror serves and was asked for.

    Attributes:
        url: Its root.
        files: Content by path.
        faults: By path, what goes wrong at the first requests for it, in order: ``missing``,
            ``refused`` (status 503), ``corrupt``, ``truncated``, ``reset``, or ``stalled`` (half
            of it, then nothing until `release`).
        requests: The (path, first byte asked for) of every request.
        stalled: Set while a request is stalled.
    """

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[str]] = field(default_factory=dict)
    requests: list[tuple[str, int]] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)

    def offsets(self, path: str) -> list[int]:
        """Returns the first byte of each request for a path."""
        return [offset for asked, offset in self.requests if asked == path]


@contextmanager
def serve() -> Iterator[Mirror]:
    """Serves a `Mirror` until the block ends."""
    mirror = Mirror()

    class Handler(_Handler):
        served = mirror

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    mirror.url = f"http://127.0.0.1:{server.server_address[1]}/debian"
    try:
        yield mirror
    finally:
        mirror.release.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(http.server.BaseHTTPRequestHandler):
    served: Mirror

    def do_GET(self) -> None:
        """Sends a file, from the byte asked for on, or what the fault makes of it."""
        mirror = self.served
        path = self.path.removeprefix("/debian/").replace("%2B", "+")
        offset = int(self.headers.get("Range", "bytes=0-")[len("bytes=") : -1])
        mirror.requests.append((path, offset))
        faults = mirror.faults.get(path, [])
        fault = faults.pop(0) if faults else ""
        if fault == "missing" or path not in mirror.files:
            self.send_error(404)
            return
        if fault == "refused":
            self.send_error(503)
            return
        body = mirror.files[path][offset:]
        self.send_response(206 if offset else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if fault == "corrupt":
            body = bytes([body[0] ^ 1]) + body[1:]
        if fault in ("truncated", "reset", "stalled"):
            body = body[: len(body) // 2]
        self.wfile.write(body)
        if fault == "reset":
            # Closing a socket that lingers for no time sends a reset.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        if fault == "stalled":
            mirror.stalled.set()
            mirror.release.wait()

    def log_message(self, *_: object) -> None:
        """Keeps the test's output clean."""
