"""The worker: reads requests, runs each in a process of its own, answers as they end."""

from __future__ import annotations

import dataclasses
import gc
import importlib
import os
import selectors
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from tools import cli
from tools.worker.child import Child, fork, spawn
from tools.worker.request import Request, response
from tools.worker.results import Result, Results

Start = Callable[[list[str]], Child]
"""Starts the tool with these arguments."""


def serve(module: str) -> NoReturn:
    """Serves requests for a tool until stdin ends.

    The tool's ``__main__`` has ``main(argv)``, and may have ``PRELOAD``, the modules that a request
    will need, and ``SHARED_OUTPUTS``, the options that name outputs; the tool promises then that
    equal inputs and other arguments give equal outputs, whatever the files are called.

    Args:
        module: The tool's package, such as ``tools.compiler``.
    """
    # Bazel reads the answers from stdout: whatever else prints goes to stderr, Bazel's worker log.
    answers = os.dup(1)
    os.dup2(2, 1)
    tool = importlib.import_module(f"{module}.__main__")
    if sys.platform == "linux":
        for name in getattr(tool, "PRELOAD", ()):
            importlib.import_module(name)
        gc.freeze()  # What is loaded stays in memory that all the processes share.

        def start(arguments: list[str]) -> Child:
            return fork(lambda argv: cli.run(tool.main, argv), arguments)
    else:
        command = [word for word in sys.orig_argv if word != "--persistent_worker"]
        command[0] = sys.executable

        def start(arguments: list[str]) -> Child:
            return spawn(command, arguments)

    server = Server(start, answers, getattr(tool, "SHARED_OUTPUTS", ()))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.run(0)
    finally:
        server.stop()
    sys.exit(0)


@dataclasses.dataclass
class _Job:
    request: Request
    child: Child
    fingerprint: str | None
    waiting: list[Request] = dataclasses.field(default_factory=list)


class Server:
    """Runs requests side by side; equal ones once.

    Args:
        start: Starts the tool.
        answers: File descriptor that the answers go to.
        shared_outputs: See `serve`; empty for a tool whose results are not shared.
    """

    def __init__(self, start: Start, answers: int, shared_outputs: tuple[str, ...] = ()) -> None:
        self._start = start
        self._answers = answers
        self._shared_outputs = shared_outputs
        self._results = Results()
        self._jobs: dict[int, _Job] = {}
        self._selector = selectors.DefaultSelector()

    def run(self, requests: int) -> None:
        """Serves the requests of a file descriptor until it ends."""
        self._selector.register(requests, selectors.EVENT_READ)
        unread = b""
        while True:
            for event, _ in self._selector.select():
                if event.fd != requests:
                    self._progress(event.fd)
                    continue
                data = os.read(requests, 1 << 16)
                if not data:
                    return
                *lines, unread = (unread + data).split(b"\n")
                for line in filter(None, map(bytes.strip, lines)):
                    self._handle(Request.parse(line))

    def stop(self) -> None:
        """Ends what is running."""
        for job in self._jobs.values():
            job.child.kill()
            job.child.finish()

    def _handle(self, request: Request) -> None:
        if request.cancel:
            self._cancel(request.request_id)
            return
        fingerprint = self._fingerprint(request)
        result = self._results.find(fingerprint)
        if result is not None:
            self._answer_with(result, request)
            return
        for job in self._jobs.values():
            if fingerprint is not None and job.fingerprint == fingerprint:
                job.waiting.append(request)
                return
        self._begin(request, fingerprint)

    def _fingerprint(self, request: Request) -> str | None:
        """What equal requests share; of many workers for one tool, none keeps results."""
        if not self._shared_outputs or request.request_id == 0:
            return None
        return request.fingerprint(self._shared_outputs)

    def _begin(self, request: Request, fingerprint: str | None) -> _Job:
        child = self._start(list(request.arguments))
        job = self._jobs[child.output] = _Job(request, child, fingerprint)
        self._selector.register(child.output, selectors.EVENT_READ)
        return job

    def _progress(self, output: int) -> None:
        job = self._jobs.get(output)
        if job is None or job.child.read():
            return
        code, printed = self._end(job)
        # Before the answer: Bazel may move the outputs then.
        result = self._share(job, printed) if code == 0 else None
        self._answer(response(job.request.request_id, code, printed))
        if result is None:
            self._restart(job)
            return
        for request in job.waiting:
            self._answer_with(result, request)

    def _end(self, job: _Job) -> tuple[int, str]:
        self._selector.unregister(job.child.output)
        del self._jobs[job.child.output]
        return job.child.finish()

    def _share(self, job: _Job, printed: str) -> Result | None:
        if job.fingerprint is None:
            return None
        return self._results.add(
            job.fingerprint, printed, job.request.outputs(self._shared_outputs)
        )

    def _restart(self, job: _Job) -> None:
        """Runs the first of the requests that waited for one that gave no result."""
        if job.waiting:
            first, *others = job.waiting
            self._begin(first, job.fingerprint).waiting = others

    def _cancel(self, request_id: int) -> None:
        for job in list(self._jobs.values()):
            if job.request.request_id == request_id:
                job.child.kill()
                self._end(job)
                self._restart(job)
                break
            kept = [request for request in job.waiting if request.request_id != request_id]
            if len(kept) < len(job.waiting):
                job.waiting = kept
                break
        else:
            return  # Answered before Bazel changed its mind.
        self._answer(response(request_id, 0, "", cancelled=True))

    def _answer_with(self, result: Result, request: Request) -> None:
        try:
            result.write(request.outputs(self._shared_outputs))
        except OSError as error:
            printed = f"error: {cli.describe_os_error(error)}\n"
            self._answer(response(request.request_id, 1, printed))
        else:
            self._answer(response(request.request_id, 0, result.output))

    def _answer(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._answers, line) :]
