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

from tools import archived_packages, cli
from tools.worker.child import Child, fork, spawn
from tools.worker.request import Request, response
from tools.worker.results import Result, Results


@dataclasses.dataclass(frozen=True)
class Tool:
    """What requests are for.

    Attributes:
        start: Starts the tool for a request.
        shared_outputs: The options that name outputs; none where results are not shared.
    """

    start: Callable[[Request], Child]
    shared_outputs: tuple[str, ...] = ()


def serve(module: str, site: str) -> NoReturn:
    """Serves requests for a tool until stdin ends.

    The tool's ``__main__`` has ``main(argv)``, and may have ``PRELOAD``, the modules that a request
    will need, and ``SHARED_OUTPUTS``, the options that name outputs; the tool promises then that
    equal inputs and other arguments give equal outputs, whatever the files are called.

    Args:
        module: The tool's package, such as ``tools.compiler``.
        site: The entry of the import path that has the Python packages; may be empty.
    """
    # Bazel reads the answers from stdout: whatever else prints goes to stderr, Bazel's worker log.
    answers = os.dup(1)
    os.dup2(2, 1)
    server = Server(lambda request: _load(module, site, request.directory), answers)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        server.run(0)
    finally:
        server.stop()
    sys.exit(0)


def _load(module: str, site: str, directory: str) -> Tool:
    """Loads the tool for its first request.

    A worker whose requests have sandboxes is given the packages in these alone. They are loaded by
    their real path, for that sandbox will be gone.
    """
    packages = os.path.realpath(os.path.join(directory, site)) if site else site
    sys.path[:] = [packages if entry == site else os.path.abspath(entry) for entry in sys.path]
    if packages:
        archived_packages.install(packages)
    tool = importlib.import_module(f"{module}.__main__")
    shared_outputs = getattr(tool, "SHARED_OUTPUTS", ())
    if sys.platform == "linux":
        for name in getattr(tool, "PRELOAD", ()):
            importlib.import_module(name)
        gc.freeze()  # What is loaded stays in memory that all the processes share.
        return Tool(
            lambda request: fork(
                lambda argv: cli.run(tool.main, argv), list(request.arguments), request.directory
            ),
            shared_outputs,
        )
    words = [packages if word == site else word for word in sys.orig_argv[1:-1]]
    command = [os.path.abspath(word) if os.path.isfile(word) else word for word in words]
    return Tool(
        lambda request: spawn(
            [sys.executable, *command], list(request.arguments), request.directory
        ),
        shared_outputs,
    )


@dataclasses.dataclass
class _Job:
    request: Request
    child: Child
    fingerprint: str | None
    waiting: list[Request] = dataclasses.field(default_factory=list)


class Server:
    """Runs requests side by side; equal ones once.

    Args:
        load: Returns the tool, for its first request.
        answers: File descriptor that the answers go to.
    """

    def __init__(self, load: Callable[[Request], Tool], answers: int) -> None:
        self._load = load
        self._tool: Tool | None = None
        self._answers = answers
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
        if self._tool is None:
            self._tool = self._load(request)
        shared = self._tool.shared_outputs
        fingerprint = request.fingerprint(shared) if shared else None
        result = self._results.find(fingerprint)
        if result is not None:
            self._answer_with(result, request)
            return
        for job in self._jobs.values():
            if fingerprint is not None and job.fingerprint == fingerprint:
                job.waiting.append(request)
                return
        self._begin(request, fingerprint)

    def _begin(self, request: Request, fingerprint: str | None) -> _Job:
        child = self._tool.start(request)
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
            job.fingerprint, printed, job.request.outputs(self._tool.shared_outputs)
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
            result.write(request.outputs(self._tool.shared_outputs))
        except OSError as error:
            printed = f"error: {cli.describe_os_error(error)}\n"
            self._answer(response(request.request_id, 1, printed))
        else:
            self._answer(response(request.request_id, 0, result.output))

    def _answer(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._answers, line) :]
