"""Remote execution on loopback, as docs/remote.md shows it: BuildGrid, and workers of buildbox."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator

from tests.remote import postgresql
from tests.remote.documented import documented
from tests.remote.processes import Process, free_port, installed, listens, wait_for

_BGD = (sys.executable, "-c", "from buildgrid.server.app import cli; cli()")
# As a service manager does it.
_AGAIN = 'until "$@"; do sleep 0.5; done'
_FOLDER = "/srv/buildgrid"
_ADDRESS = "0.0.0.0:50051"


class Cluster:
    """The servers and their workers.

    Attributes:
        address: host:port, what `grpc://` is put before.
        workers: A process each; it has one action at a time.
    """

    def __init__(self, folder: pathlib.Path) -> None:
        """Start nothing yet; everything will be in a folder, whose name has to be short."""
        self._folder = folder
        self._port = free_port()
        self._environment = {"PYTHONPATH": str(installed("site"))}
        self._servers: dict[str, Process] = {}
        self.address = f"127.0.0.1:{self._port}"
        self.workers: list[Process] = []

    def start(self, workers: int) -> None:
        """Start the database, the server, the workers' cache and the workers, in this order."""
        self._servers["postgresql"] = postgresql.start(self._folder / "postgresql")
        self._write_config()
        self._migrate()
        self._servers["buildgrid"] = self._start_server()
        self._servers["casd"] = self._start_cache()
        self.workers = [self._start_worker(number) for number in range(workers)]

    def stop(self) -> None:
        """End every process, those first that use others."""
        for worker in self.workers:
            worker.kill()
        for name in ("casd", "buildgrid", "postgresql"):
            if name in self._servers:
                self._servers[name].end()

    def restart_server(self) -> None:
        """Kill the server, and start it anew with what it has on disk."""
        self._servers["buildgrid"].kill()
        self._servers["buildgrid"] = self._start_server()

    def working(self) -> Process | None:
        """The worker that runs a compile, if one does."""
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if b"tools.compiler" in (process / "cmdline").read_bytes():
                    above = _ancestors(process)
                    for worker in self.workers:
                        if worker.popen.pid in above:
                            return worker
        return None

    def _write_config(self) -> None:
        config = documented("yaml").replace(_ADDRESS, self.address)
        path = self._folder / "buildgrid.yaml"
        path.write_text(config.replace(_FOLDER, str(self._folder)), encoding="utf-8")

    def _migrate(self) -> None:
        host = self._folder / "postgresql"
        url = f"postgresql+psycopg2://{postgresql.USER}@/postgres?host={host}"
        subprocess.run(
            [*_BGD, "migrate", "apply", url],
            env={**os.environ, **self._environment},
            capture_output=True,
            check=True,
        )

    def _start_server(self) -> Process:
        server = Process(
            self._folder / "buildgrid.log",
            *(*_BGD, "server", "start", self._folder / "buildgrid.yaml"),
            **self._environment,
        )
        wait_for(lambda: listens(self._port), "buildgrid", server)
        return server

    def _start_cache(self) -> Process:
        cache = Process(
            self._folder / "casd.log",
            *(installed("root/usr/bin/buildbox-casd"), f"--bind=unix:{self._socket}"),
            *(f"--cas-remote=http://{self.address}", self._folder / "casd"),
        )
        wait_for(self._socket.exists, "buildbox-casd", cache)
        return cache

    def _start_worker(self, number: int) -> Process:
        return Process(
            self._folder / f"worker{number}.log",
            *("sh", "-c", _AGAIN, "sh"),
            installed("root/usr/bin/buildbox-worker"),
            f"--buildbox-run={installed('root/usr/bin/buildbox-run-hosttools')}",
            f"--bots-remote=http://{self.address}",
            f"--cas-remote=unix:{self._socket}",
            *("--concurrent-jobs=1", "--platform", "OSFamily=linux", f"worker{number}"),
        )

    @property
    def _socket(self) -> pathlib.Path:
        return self._folder / "casd.sock"


def _ancestors(process: pathlib.Path) -> set[int]:
    """The process ids above a process."""
    above: set[int] = set()
    while process.name not in ("0", "1"):
        parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        above.add(int(parent))
        process = process.with_name(parent)
    return above


@contextlib.contextmanager
def running(workers: int) -> Iterator[Cluster]:
    """A cluster that ends with the context."""
    with tempfile.TemporaryDirectory(prefix="mlc-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(pathlib.Path(folder))
        try:
            cluster.start(workers)
            yield cluster
        finally:
            cluster.stop()
