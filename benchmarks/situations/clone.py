"""A fresh clone, where a remote cache has everything."""

from __future__ import annotations

import pathlib
import time
import urllib.request

from benchmarks.situations.bundle import write_models
from benchmarks.situations.rows import Row, ratio
from benchmarks.workspace import EMPTY, EMPTY_TARGET, Workspace, take_turns
from tests.integration import http_cache

_TARGET = "//:model_pkg"


def measure(root: pathlib.Path, repeats: int) -> list[Row]:
    """Returns the rows of the clone; seconds are the least of the runs.

    Args:
        root: A directory for the workspaces.
        repeats: How many runs.
    """
    with http_cache.running() as cache:
        flag = f"--remote_cache={cache.url}"
        with Workspace(root / "first") as workspace:
            write_models(workspace, {"model": []})
            workspace.bazel("build", flag, _TARGET)
        with Workspace(root / "clone") as workspace, Workspace(root / "empty") as empty:
            write_models(workspace, {"model": []})
            workspace.bazel("build", "--nobuild", _TARGET)  # installs the Python environment
            empty.write("BUILD.bazel", EMPTY)
            empty.bazel("build", EMPTY_TARGET)

            def start(where: Workspace, command: str, *arguments: str) -> float:
                where.bazel("clean")
                where.bazel("shutdown")
                return where.bazel(command, *arguments)

            runs = {
                "its analysis": lambda: start(workspace, "build", "--nobuild", _TARGET),
                "its loading": lambda: start(workspace, "query", f"deps({_TARGET})"),
                "an empty build": lambda: start(empty, "build", EMPTY_TARGET),
                "build": lambda: start(workspace, "build", flag, _TARGET),
                "transfer": lambda: _transfer(cache),
            }
            least = {name: min(found) for name, found in take_turns(runs, repeats).items()}
    return [
        ratio(
            "fresh clone, warm remote cache",
            least["build"],
            f"the bytes' transfer, a server's start and {work}",
            least["transfer"] + least[work],
            1.5,
        )
        for work in ("its analysis", "its loading", "an empty build")
    ]


def _transfer(cache: http_cache.HttpCache) -> float:
    start = time.monotonic()
    for path in list(cache.blobs):
        with urllib.request.urlopen(cache.url + path) as answer:
            answer.read()
    return time.monotonic() - start
