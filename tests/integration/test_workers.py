"""Protects persistent workers: equal libraries compile once, no tool is stale, kills do no harm."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import subprocess
import threading
import time

import pytest

from tests.integration import processes
from tests.integration.conftest import PREAMBLE, TINY_CONFIG

# Two fine-tunes of one architecture, in two Bazel packages.
LIBRARY = PREAMBLE + 'mlc_model_lib(name = "{name}", config = "{name}.json", device = "android")\n'


def add_library(workspace, name: str, **fields: object) -> str:
    """Add a library with a config and a package of its own; return its label."""
    workspace.write(f"{name}/BUILD.bazel", LIBRARY.format(name=name))
    workspace.write(f"{name}/{name}.json", json.dumps({**TINY_CONFIG, **fields}))
    return f"//{name}"


def output(workspace, name: str, suffix: str) -> pathlib.Path:
    (found,) = workspace.root.glob(f"bazel-out/*/bin/{name}/{name}.{suffix}")
    return found


def digest(workspace, name: str) -> str:
    return hashlib.sha256(output(workspace, name, "tar").read_bytes()).hexdigest()


def worker(workspace) -> int:
    """The process id of the workspace's compile worker."""
    return processes.workers(workspace, "tools.compiler")[0]


def seconds_of_requests(pid: int) -> float:
    """Processor time of the worker's ended children."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def workspace(new_workspace):
    made = new_workspace()
    made.write("BUILD.bazel", "")
    made.bazel("build", add_library(made, "one"))
    return made


def test_equal_libraries_are_compiled_once(workspace):
    """Another target, package and chat setting: the worker answers with what it has."""
    pid = worker(workspace)
    first = seconds_of_requests(pid)
    build = workspace.bazel("build", add_library(workspace, "two", temperature=0.1))
    assert build.ran("MlcCompile") == 1
    assert worker(workspace) == pid
    assert seconds_of_requests(pid) - first < first / 10
    assert digest(workspace, "two") == digest(workspace, "one")


def test_edited_tool_is_a_new_worker(workspace):
    """A worker that has loaded other sources than the action's inputs does not answer."""
    log = workspace.rules / "tools/compiler/log.py"
    log.write_text(log.read_text().replace('"symbol: ', '"exported symbol: '))
    workspace.bazel("build", "//one", "--output_groups=log")
    assert "\nexported symbol: llama" in output(workspace, "one", "log").read_text()


def test_sandboxed_worker(workspace):
    """A worker that sees declared inputs alone gives the same bytes."""
    flags = ["--noworker_multiplex", "--worker_sandboxing"]
    build = workspace.bazel("build", *flags, add_library(workspace, "sandboxed", top_p=0.5))
    assert "2 worker" in build.stderr
    assert digest(workspace, "sandboxed") == digest(workspace, "one")


def test_kill_in_mid_compile(workspace):
    """A killed worker fails the build at most; the next build is as if nothing had happened."""
    label = add_library(workspace, "killed", quantization="q4f32_1")
    building = threading.Thread(
        target=workspace.bazel, args=("build", label), kwargs={"check": False}
    )
    pid = worker(workspace)
    building.start()
    time.sleep(1.5)
    processes.kill(pid)
    building.join()
    workspace.bazel("build", label)
    expected = digest(workspace, "killed")
    subprocess.run(["chmod", "-R", "u+w", output(workspace, "killed", "tar").parent], check=True)
    output(workspace, "killed", "tar").unlink()
    workspace.bazel("build", "--spawn_strategy=sandboxed,local", label)
    assert digest(workspace, "killed") == expected
