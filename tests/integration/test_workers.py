"""Protects persistent workers: equal libraries compile once, no tool is stale, kills do no harm."""

from __future__ import annotations

import hashlib
import json
import os
import pathlib
import signal
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


SHARED_CACHE = [
    "--config=shared-cache",
    "--jobs=2",
    "--local_resources=cpu=2",
    "--worker_max_instances=Mlc=2",
]
"""Flags that map the paths of compiles, on a machine of two processors."""


def test_mapped_compiles_have_a_worker_each(workspace):
    """Two at a time are two workers, which the next two find warm; the bytes are the same."""
    labels = [
        add_library(workspace, "mapped", top_p=0.6),
        add_library(workspace, "mapped1", context_window_size=128),
    ]
    workspace.bazel("build", *SHARED_CACHE, *labels)
    assert digest(workspace, "mapped") == digest(workspace, "one")
    pids = processes.workers(workspace, "tools.compiler")
    assert len(pids) == 2
    labels = [
        add_library(workspace, f"mapped{context}", context_window_size=context)
        for context in (129, 130)
    ]
    build = workspace.bazel("build", *SHARED_CACHE, *labels)
    assert build.ran("MlcCompile") == 2
    assert processes.workers(workspace, "tools.compiler") == pids


def start_compile(workspace, label: str, *flags: str) -> tuple[subprocess.Popen[bytes], int]:
    """Start a build; return it, and the process that compiles, as soon as that is there."""
    building = workspace.start("build", *flags, label, stderr=subprocess.PIPE)
    found = processes.wait_until(lambda: processes.requests(workspace, "tools.compiler"))
    return building, found[0]


def test_killed_mapped_compile(workspace):
    """Out of memory: the build fails in one line, and the worker takes the next compile."""
    label = add_library(workspace, "hungry", context_window_size=131)
    pids = processes.workers(workspace, "tools.compiler")
    building, request = start_compile(workspace, label, *SHARED_CACHE)
    processes.kill(request)
    _, printed = building.communicate()
    errors = [line for line in printed.decode().splitlines() if line.startswith("error: ")]
    assert len(errors) == 1
    assert errors[0].startswith("error: the tool was ended by SIGKILL; the machine may be out of")
    assert workspace.bazel("build", *SHARED_CACHE, label).ran("MlcCompile") == 1
    assert set(processes.workers(workspace, "tools.compiler")) <= set(pids)


@pytest.mark.parametrize("flags", [[], SHARED_CACHE], ids=["one_worker", "mapped"])
def test_interrupted_compile(workspace, flags):
    """The compile ends with the build, and the next build is as if nothing had happened."""
    label = add_library(workspace, f"interrupted{len(flags)}", context_window_size=132 + len(flags))
    building, request = start_compile(workspace, label, *flags)
    pids = processes.workers(workspace, "tools.compiler")
    building.send_signal(signal.SIGINT)
    building.communicate()
    # Less than a compile takes.
    processes.wait_until(lambda: request not in processes.requests(workspace), seconds=3)
    assert workspace.bazel("build", *flags, label).ran("MlcCompile") == 1
    if flags:
        assert processes.workers(workspace, "tools.compiler") == pids
