"""Protects what a team shares by nginx: a cold checkout compiles nothing and fetches no weights."""

from __future__ import annotations

import shutil

import pytest

from tests.hub.server import serve
from tests.integration.hub_models import blobs_asked, use_models
from tests.integration.workspace import runfile
from tests.remote import nginx
from tests.remote.packages import PACKAGE, build, tree

LOCKED = 'lock = "//:mlc.lock.json",'


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    with nginx.running(tmp_path_factory.mktemp("nginx")) as url:
        yield url


@pytest.fixture(scope="module")
def hub():
    with serve() as served:
        model = runfile("examples/quickstart/model")
        files = {file.name: file.read_bytes() for file in model.iterdir()}
        served.add("org/stories").commit(files)
        yield served


def use_stories(workspace, hub) -> None:
    use_models(workspace, hub, stories=LOCKED)
    build_file = workspace.root / "BUILD.bazel"
    build_file.write_text(build_file.read_text() + PACKAGE)


@pytest.fixture(scope="module")
def first(new_workspace, cache, hub):
    """What is left of the one who fills the cache: package, lock, and how many actions ran."""
    workspace = new_workspace()
    use_stories(workspace, hub)
    workspace.bazel("run", "@mlc_hub//:lock")
    counts = build(workspace, "--config=ci", f"--remote_cache={cache}")
    assert "remote cache hit" not in counts
    made = tree(workspace)
    lock = (workspace.root / "mlc.lock.json").read_text()
    workspace.stop()
    shutil.rmtree(workspace.variables["HOME"])
    return made, lock, sum(count for kind, count in counts.items() if kind != "internal")


@pytest.fixture(scope="module")
def second(new_workspace, hub, first, tmp_path_factory):
    """Another folder, of another user."""
    workspace = new_workspace()
    use_stories(workspace, hub)
    workspace.write("mlc.lock.json", first[1])
    home = tmp_path_factory.mktemp("another")
    workspace.variables.update(HOME=str(home), USER="another", LOGNAME="another")
    hub.requests.clear()
    return workspace


def weights(workspace) -> list[str]:
    """The weights that are on this machine."""
    found = workspace.output_root.rglob("*")
    large = runfile("examples/quickstart/model/params_shard_0.bin").stat().st_size
    return [str(path) for path in found if path.is_file() and path.stat().st_size == large]


def test_nothing_is_downloaded_that_nobody_asks_for(second, cache):
    """Neither of the packages' two links to weights, nor the weights."""
    flags = ("--config=remote-cache", f"--remote_cache={cache}")
    counts = build(second, *flags, "--remote_download_minimal")
    assert set(counts) == {"remote cache hit", "internal"}
    assert not (second.root / "bazel-bin/pkg/lib/libmodel_android.a").exists()
    counts = build(second, *flags, "--output_groups=libraries,app_config")
    # For the outputs that are wanted here now, of three actions, Bazel may ask the cache again.
    assert counts.pop("remote cache hit", 0) <= 3
    assert set(counts) == {"internal"}
    assert (second.root / "bazel-bin/pkg/lib/libmodel_android.a").exists()
    assert weights(second) == []


def test_another_user_compiles_and_fetches_nothing(second, cache, hub, first):
    second.bazel("clean")
    counts = build(second, "--config=remote-cache", f"--remote_cache={cache}")
    assert counts.pop("remote cache hit") == first[2]
    assert set(counts) == {"internal"}
    assert blobs_asked(hub) == []
    assert tree(second) == first[0]
