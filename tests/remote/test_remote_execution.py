"""Protects remote execution: the bytes of a local build, whatever happens to workers and server."""

from __future__ import annotations

import threading
import time

import pytest

from tests.integration.conftest import PREAMBLE
from tests.integration.workspace import runfile
from tests.remote import cluster
from tests.remote.packages import PACKAGE, build, tree

LIBRARY = """
mlc_model_lib(name = "stories_lib", config = "model/mlc-chat-config.json")
mlc_weight_bundle(name = "stories_weights", directory = "model")
"""
WORKERS = 2


@pytest.fixture(scope="module")
def servers():
    with cluster.running(WORKERS) as started:
        yield started


@pytest.fixture(scope="module")
def workspace(new_workspace):
    made = new_workspace()
    (made.root / "model").mkdir()
    for file in runfile("examples/quickstart/model").iterdir():
        (made.root / "model" / file.name).write_bytes(file.read_bytes())
    made.write("BUILD.bazel", PREAMBLE + LIBRARY + PACKAGE)
    return made


@pytest.fixture(scope="module")
def local(workspace, servers):
    """The package that is built on this machine, and that fills the cache."""
    counts = build(workspace, "--config=ci", f"--remote_cache=grpc://{servers.address}")
    assert "remote cache hit" not in counts
    return tree(workspace)


def build_remotely(workspace, servers, meanwhile=lambda: None) -> dict[str, int]:
    """Build everything anew on the cluster; `meanwhile` is called as soon as a worker compiles."""

    def act() -> None:
        while building and not servers.working():
            time.sleep(0.5)
        meanwhile()

    workspace.bazel("clean")
    building = True
    thread = threading.Thread(target=act)
    thread.start()
    try:
        return build(
            workspace,
            "--config=rbe",
            f"--remote_executor=grpc://{servers.address}",
            "--noremote_accept_cached",
        )
    finally:
        building = False
        thread.join()


def test_grpc_cache(workspace, servers, local):
    workspace.bazel("clean")
    cache = f"--remote_cache=grpc://{servers.address}"
    assert set(build(workspace, "--config=remote-cache", cache)) == {"remote cache hit", "internal"}
    assert tree(workspace) == local


def test_equal_bytes_and_weights_stay(workspace, servers, local):
    """All but the digests of weights is made by workers; a killed one's compile by another."""
    counts = build_remotely(workspace, servers, lambda: servers.working().kill())
    # MlcConfig, MlcCompile, MlcCheck, MlcArchive, MlcAppFiles, MlcWeights, MlcPackage.
    assert counts["remote"] == 7
    assert set(counts) == {"internal", "remote", "worker"}
    assert tree(workspace) == local


def test_restarted_server(workspace, servers, local):
    build_remotely(workspace, servers, servers.restart_server)
    assert tree(workspace) == local
