"""WebGPU in headless Chromium, whose adapter SwiftShader computes on the CPU."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import struct
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

from tests.emulators.device_code import Kernel, grid, read_webgpu

_BROWSERS = ("chromium-headless-shell", "chromium")
_PAGE = Path(__file__).with_name("webgpu.html")
_SECONDS = 120
"""How long the browser may take to start, to compile a kernel, or to run one."""


class WebGPU:
    """A device of `tests.emulators.emulation`: a page that `browser` shows.

    Raises:
        LookupError: The page finds no WebGPU.
    """

    kind = "webgpu"
    number = 15

    def __init__(self, page: _Page) -> None:
        self._page = page
        self._compiled: set[str] = set()
        try:
            self._page.result()
        except RuntimeError as error:
            raise LookupError(f"no WebGPU in this Chromium: {error}") from error

    def load(self, code: bytes) -> Mapping[str, Kernel]:
        self._compiled.clear()
        return read_webgpu(code)

    def launch(
        self, kernel: Kernel, arguments: Sequence[np.ndarray | int | float], extents: Sequence[int]
    ) -> None:
        if kernel.name not in self._compiled:
            work = {"name": kernel.name, "source": kernel.source, "written": kernel.written}
            self._page.do(work, [])
            self._compiled.add(kernel.name)
        arrays = {id(a): a for a in arguments if isinstance(a, np.ndarray)}
        places = {key: place for place, key in enumerate(arrays)}
        buffers = [array.tobytes() + bytes(-array.nbytes % 4) for array in arrays.values()]
        blocks, _ = grid(kernel, extents)
        if blocks[2] != 1:
            raise RuntimeError(f"{kernel.name}: TVM's runtime keeps blockIdx.z for itself")
        numbers = [
            np.dtype(dtype).type(value).tobytes()
            for value, dtype in zip(arguments, kernel.arguments, strict=True)
            if dtype != "handle"
        ]
        uniform = b"".join([*numbers, struct.pack("<I", blocks[0])])
        work = {
            "name": kernel.name,
            "sizes": [len(buffer) for buffer in buffers],
            "bindings": [places[id(a)] for a in arguments if id(a) in places],
            "uniform": len(uniform),
            "blocks": blocks,
        }
        header, data = self._page.do(work, [*buffers, uniform])
        offset = 0
        for place in header["changed"]:
            array = list(arrays.values())[place]
            array[:] = np.frombuffer(data, np.uint8, array.nbytes, offset)
            offset += len(buffers[place])


@contextlib.contextmanager
def browser() -> Iterator[WebGPU]:
    """Shows the page in a browser of its own, which is gone afterwards.

    Raises:
        LookupError: There is no Chromium, or no WebGPU in it.
    """
    program = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if program is None:
        raise LookupError("no Chromium: apt-get install chromium-headless-shell")
    page = _Page()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                # Whatever happens to this process, the browser is gone after half an hour.
                *("timeout", "--kill-after=5", "1800"),
                program,
                "--headless",
                # It cannot sandbox itself as root; it shows nothing but the page of this test.
                "--no-sandbox",
                "--enable-unsafe-webgpu",
                "--use-webgpu-adapter=swiftshader",
                f"--user-data-dir={profile}",
                f"http://127.0.0.1:{page.port}/",
            ],
            env={**os.environ, "HOME": profile},
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield WebGPU(page)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            page.close()


class _Page:
    """The page, on loopback: it posts results, and each answer is the next piece of work."""

    def __init__(self) -> None:
        self._work: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def do(self, work: dict, buffers: Sequence[bytes]) -> tuple[dict, bytes]:
        """Returns the result of a piece of work.

        Raises:
            RuntimeError: The browser refuses the kernel, does not answer, or is gone.
        """
        text = json.dumps(work).encode()
        self._work.put(b"".join([struct.pack("<I", len(text)), text, *buffers]))
        return self.result()

    def result(self) -> tuple[dict, bytes]:
        """Returns what the page posts next."""
        try:
            data = self._results.get(timeout=_SECONDS)
        except queue.Empty:
            raise RuntimeError(f"the browser did not answer for {_SECONDS} seconds") from None
        (length,) = struct.unpack_from("<I", data)
        header = json.loads(data[4 : 4 + length])
        if "error" in header:
            raise RuntimeError(header["error"])
        return header, data[4 + length :]

    def close(self) -> None:
        self._work.put(None)
        self._server.shutdown()
        self._server.server_close()

    def _handler(page) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - self is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            wbufsize = -1

            def do_GET(self) -> None:
                self._answer(_PAGE.read_bytes(), "text/html")

            def do_POST(self) -> None:
                page._results.put(self.rfile.read(int(self.headers["Content-Length"])))
                if (work := page._work.get()) is not None:
                    self._answer(work, "application/octet-stream")

            def _answer(self, data: bytes, media_type: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                pass

        return Handler
