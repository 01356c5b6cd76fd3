"""What both hosts share: records, faults, and bodies with ranges."""

from __future__ import annotations

import abc
import http.server
import json
import re
import socket
import struct
import time
from typing import TYPE_CHECKING

from tests.hub.faults import Fault

if TYPE_CHECKING:
    from tests.hub.server import Hub

_PIECE = 16 << 10  # bytes
_INVERTED = bytes(range(255, -1, -1))


class HubHandler(http.server.BaseHTTPRequestHandler, abc.ABC):
    """Answers GET and HEAD; a subclass says what is at a path with `answer`."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    hub: Hub
    host: str
    fault: Fault | None

    def do_GET(self) -> None:
        """Records the request, and goes wrong or answers."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.hub.record(self.host, self.command, self.path, headers)
        self.fault = self.hub.next_fault(self.host, self.path)
        if self.fault and self.fault.kind == "status":
            self.send(self.fault.status, self.fault.body, self.fault.headers)
        elif self.fault and self.fault.after < 0:
            self._reset()
        else:
            self.answer()

    do_HEAD = do_GET  # noqa: N815

    @abc.abstractmethod
    def answer(self) -> None:
        """Answers a request that nothing is wrong with."""

    def send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Sends a whole answer, but for what the fault in force takes from it."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self._send_body(body)

    def send_json(self, value: object, headers: dict[str, str] | None = None) -> None:
        """Sends JSON."""
        body = json.dumps(value).encode()
        self.send(200, body, {"Content-Type": "application/json", **(headers or {})})

    def send_error_code(self, status: int, code: str, message: str) -> None:
        """Sends an error as the Hub does."""
        body = json.dumps({"error": message}).encode()
        self.send(status, body, {"X-Error-Code": code, "X-Error-Message": message})

    def send_file(self, data: bytes, headers: dict[str, str]) -> None:
        """Sends a file, or the part of it that ``Range`` asks for."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not asked or (self.fault and self.fault.kind == "whole"):
            self.send(200, data, {"Accept-Ranges": "bytes", **headers})
        elif int(asked[1]) >= len(data):
            self.send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
        else:
            first = int(asked[1])
            span = {"Content-Range": f"bytes {first}-{len(data) - 1}/{len(data)}"}
            self.send(206, data[first:], {"Accept-Ranges": "bytes", **span, **headers})

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""

    def _send_body(self, body: bytes) -> None:
        fault = self.fault
        if fault is None or fault.kind in ("status", "whole"):
            self.wfile.write(body)
        elif fault.kind == "wrong":
            self.wfile.write(body.translate(_INVERTED))
        elif fault.kind == "slow":
            for start in range(0, len(body), _PIECE):
                time.sleep(fault.pause)
                self.wfile.write(body[start : start + _PIECE])
        else:
            self.wfile.write(body[: fault.after])
            self._break_off(fault)

    def _break_off(self, fault: Fault) -> None:
        self.wfile.flush()
        if fault.kind == "stalled":
            self.hub.silent.set()
            self.hub.release.wait()
        if fault.kind == "reset":
            time.sleep(0.05)  # a reset discards what the other side has not read yet
            self._reset()
        self.close_connection = True

    def _reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.connection.close()
        self.close_connection = True
