"""A Hugging Face Hub on loopback: two hosts, the endpoint and the storage of large files.

It speaks the part of the Hub's API that the huggingface_hub client uses to list and to download,
keeps a record of every request, and misbehaves when it is told to.
"""

from __future__ import annotations

import fnmatch
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.hub.endpoint import EndpointHandler
from tests.hub.faults import Fault
from tests.hub.repository import Repository
from tests.hub.storage import StorageHandler


@dataclass(frozen=True)
class Request:
    """A request that was made.

    Attributes:
        host: ``endpoint`` or ``storage``.
        method: ``GET`` or ``HEAD``.
        path: With the query, as it came.
        headers: By name in lower case.
    """

    host: str
    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Hub:
    """The state of both hosts, which tests read and change while they run.

    Attributes:
        url: What HF_ENDPOINT is set to.
        storage_url: The second host, to which large files are redirected.
        repositories: By name.
        renamed: New names of repositories by their old ones.
        tokens: Every token that is valid; what each may read is in the repositories.
        page_size: Entries of one answer of the tree API.
        requests: All requests, in the order in which they came.
        silent: Set while an answer is stalled.
        release: Set to let stalled answers go on.
    """

    url: str = ""
    storage_url: str = ""
    repositories: dict[str, Repository] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    page_size: int = 1000
    requests: list[Request] = field(default_factory=list)
    silent: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)
    _faults: list[tuple[str, str, list[Fault]]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, **attributes: object) -> Repository:
        """Creates an empty repository; ``attributes`` are those of `Repository`."""
        self.repositories[name] = Repository(name, **attributes)
        return self.repositories[name]

    def fail(self, host: str, path: str, *faults: Fault) -> None:
        """Makes the next requests of a host whose path matches go wrong, one fault each.

        Args:
            host: ``endpoint`` or ``storage``.
            path: A pattern such as ``*/resolve/*``; the query is part of what it must match.
            faults: In this order; afterwards all is well again.
        """
        self._faults.append((host, path, list(faults)))

    def next_fault(self, host: str, path: str) -> Fault | None:
        """Takes the fault that is due for a request."""
        with self._lock:
            for faulty, pattern, faults in self._faults:
                if faulty == host and faults and fnmatch.fnmatchcase(path, pattern):
                    return faults.pop(0)
        return None

    def record(self, host: str, method: str, path: str, headers: dict[str, str]) -> None:
        """Adds to ``requests``."""
        with self._lock:
            self.requests.append(Request(host, method, path, headers))

    def asked(self, host: str, path: str = "*") -> list[Request]:
        """Returns the requests of a host whose path matches."""
        return [
            request
            for request in self.requests
            if request.host == host and fnmatch.fnmatchcase(request.path, path)
        ]


class _Server(http.server.ThreadingHTTPServer):
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: a client that went away is part of the tests."""


@contextmanager
def serve() -> Iterator[Hub]:
    """Serves a `Hub` until the block ends."""
    hub = Hub()
    servers = [
        _Server(("127.0.0.1", 0), type("Handler", (handler,), {"hub": hub}))
        for handler in (EndpointHandler, StorageHandler)
    ]
    hub.url, hub.storage_url = (f"http://127.0.0.1:{one.server_address[1]}" for one in servers)
    threads = [
        threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.02})
        for one in servers
    ]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        hub.release.set()
        for one, thread in zip(servers, threads, strict=True):
            one.shutdown()
            one.server_close()
            thread.join()
