"""A PostgreSQL of the test's own, on a Unix socket alone."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

from tests.remote.processes import Process, installed, wait_for

USER = "buildgrid"

# PostgreSQL refuses to run as root. Who gives root up may still pass through root's directories.
_NOT_ROOT = (
    *("setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"),
    *("--inh-caps=+dac_override", "--ambient-caps=+dac_override"),
)


def start(folder: pathlib.Path) -> Process:
    """Make a database cluster in a folder, and serve it on a socket there."""
    folder.mkdir()
    prefix = () if os.geteuid() else _NOT_ROOT
    if prefix:
        shutil.chown(folder, "nobody", "nogroup")
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
