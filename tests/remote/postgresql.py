"""A PostgreSQL of the test's own, on a Unix socket alone."""

from __future__ import annotations

import os
import pathlib
import subprocess

from tests.remote.processes import Process, installed, wait_for

USER = "buildgrid"

# PostgreSQL refuses to run as root. In a namespace of its own, root is somebody else, and so is the
# owner of root's files.
_NOT_ROOT = ("unshare", "--map-user=1000", "--map-group=1000")


def start(folder: pathlib.Path) -> Process:
    """Make a database cluster in a folder, and serve it on a socket there."""
    folder.mkdir()
    prefix = () if os.geteuid() else _NOT_ROOT
    data = folder / "data"
    programs = installed("root/usr/lib/postgresql/*/bin")
    subprocess.run(
        [
            *(*prefix, programs / "initdb", "--pgdata", data, "--username", USER),
            *("--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"),
        ],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    server = Process(
        folder.with_suffix(".log"),
        *(*prefix, programs / "postgres", "-D", data, "-k", folder),
        *("-c", "listen_addresses=", "-c", "fsync=off"),
    )
    wait_for(lambda: (folder / ".s.PGSQL.5432").exists(), "postgresql", server)
    return server
