"""A fresh clone, where a remote cache has everything."""

from __future__ import annotations

import pathlib
import time
import urllib.request

from benchmarks.situations.bundle import write_models
from benchmarks.situations.rows import Row, ratio
from benchmarks.workspace import Workspace, take_turns
from tests.integration import http_cache

_TARGET = "//:model_pkg"


def measure(root: pathlib.Path, repeats: int) -> list[Row]:
    """Returns the row of the clone; seconds are the least of the runs.

    Args:
        root: A directory for the workspaces.
        repeats: How many runs.
    """
    with http_cache.running() as cache:
        flag = f"--remote_cache={cache.url}"
        with Workspace(root / "first") as workspace:
            write_models(workspace, {"model": []})
            workspace.bazel("build", flag, _TARGET)
        with Workspace(root / "clone") as workspace:
            write_models(workspace, {"model": []})
            workspace.bazel("build", "--nobuild", _TARGET)  # installs the Python environment

            def start(*flags: str) -> float:
                workspace.bazel("clean")
                workspace.bazel("shutdown")
                return workspace.bazel("build", *flags, _TARGET)

            runs = {
                "start": lambda: start("--nobuild"),
                "build": lambda: start(flag),
                "transfer": lambda: _transfer(cache),
            }
            least = {name: min(found) for name, found in take_turns(runs, repeats).items()}
    return [
        ratio(
            "fresh clone, warm remote cache",
            least["build"],
            "the bytes' transfer, the server's start and its analysis",
            least["transfer"] + least["start"],
            1.5,
        )
    ]


def _transfer(cache: http_cache.HttpCache) -> float:
    start = time.monotonic()
    for path in list(cache.blobs):
        with urllib.request.urlopen(cache.url + path) as answer:
            answer.read()
    return time.monotonic() - start
