"""Protects packages against what they lie on: full, read-only, poisoned, shared, at odd times."""

from __future__ import annotations

import os
import pathlib
import subprocess
import tempfile

import pytest

from tests.hub.server import serve
from tests.integration import disks
from tests.integration.disks import read_only
from tests.integration.hub_models import SHARD_BYTES, digests, model_files, use_models, write_lock
from tests.integration.packages import BUILD, PACKAGE, copy_stories, tree

LIBRARY_BYTES = 1 << 20
"""Less than the library has, more than everything else that the build writes."""

LOCKED = 'lock = "//:mlc.lock.json",'


@pytest.fixture(scope="module")
def hub():
    with serve() as served:
        served.add("org/one").commit(model_files(1))
        yield served


@pytest.fixture(scope="module")
def disk():
    """Where Bazel writes; the rest is on another disk, to which nothing can be linked."""
    disks.obey_modes()
    make = disks.disk_type()
    with (
        tempfile.TemporaryDirectory(dir="/dev/shm") as folder,
        make(pathlib.Path(folder, "disk"), 256 << 20) as made,
    ):
        yield made


@pytest.fixture(scope="module")
def workspace(disk, new_workspace, hub):
    """A workspace that has built its package."""
    made = new_workspace()
    made.output_root = disk.folder / "out"
    use_models(made, hub, one=LOCKED)
    made.variables.update(HOME=str(disk.folder), XDG_CACHE_HOME=str(disk.folder / "cache"))
    write_lock(made, hub, "one")
    copy_stories(made)
    made.write("BUILD.bazel", (made.root / "BUILD.bazel").read_text() + BUILD)
    made.bazel("build", PACKAGE)
    return made


@pytest.fixture(scope="module", autouse=True)
def package(workspace) -> dict[str, str]:
    """What the package is made of when nothing goes wrong."""
    return built(workspace)


def built(workspace) -> dict[str, str]:
    return tree(workspace.root / "bazel-bin/pkg")


def fails(workspace, *arguments: str) -> str:
    """What a command prints that fails."""
    process = workspace.start(*arguments, stderr=subprocess.PIPE)
    printed = process.communicate(timeout=180)[1].decode()
    assert process.returncode != 0, printed
    assert "Traceback" not in printed
    return printed


def reasons(printed: str) -> list[str]:
    """The lines that tell of a disk without room; Bazel repeats some of its own."""
    marks = ("No space left on device", "File too large", "disk is full")
    return list(dict.fromkeys(line for line in printed.splitlines() if any(map(line.count, marks))))


def errors(printed: str) -> list[str]:
    """The lines of our tools that tell what is wrong."""
    return [line for line in printed.splitlines() if line.startswith("error: ")]


def installed(dist: pathlib.Path) -> dict[str, str]:
    return {path: digest for path, digest in tree(dist).items() if not path.startswith(".rules")}


def test_full_disk_in_mid_compile(workspace, disk, package):
    workspace.bazel("clean")
    with disk.full(LIBRARY_BYTES, workspace):
        printed = fails(workspace, "build", PACKAGE)
    assert "Compiling //:lib for android failed" in printed
    assert len(reasons(printed)) == 1, printed
    workspace.bazel("build", PACKAGE)
    assert built(workspace) == package


def test_full_disk_and_read_only_cache_of_a_fetch(workspace, disk, hub):
    """Weights are an action's, the small files Bazel's own, in the repository cache."""
    cache = workspace.root.parent / "repositories"
    cache.mkdir()
    flag = f"--repository_cache={cache}"
    with read_only(cache):
        workspace.bazel("build", flag, "--nobuild", "//:one_weights")
    with disk.full(SHARD_BYTES // 2, workspace):
        printed = fails(workspace, "build", flag, "//:one_weights")
    assert "Fetching params_shard_0.bin" in printed
    assert len(errors(printed)) == 1, printed
    assert errors(printed)[0] in reasons(printed)
    workspace.bazel("build", flag, "//:one_weights")
    assert digests(1)[0] in (workspace.root / "bazel-bin/one_weights.weights.json").read_text()


def test_full_disk_in_mid_install(workspace, package, tmp_path):
    with disks.disk_type()(tmp_path / "other", 64 << 20) as other:
        dist = other.folder / "dist"
        run = ("run", PACKAGE, "--", "--output", str(dist))
        with other.full(LIBRARY_BYTES, workspace):
            printed = fails(workspace, *run)
        assert errors(printed) == reasons(printed)
        assert len(errors(printed)) == 1, printed
        assert installed(dist).items() < package.items()
        workspace.bazel(*run)
        assert installed(dist) == package


def test_read_only_dist(workspace, package):
    dist = workspace.root / "dist"
    dist.mkdir()
    with read_only(dist):
        printed = fails(workspace, "run", PACKAGE)
    assert errors(printed) == [
        f"error: --output {dist}: {dist} cannot be written; give another folder, or the right to "
        "write there"
    ]
    workspace.bazel("run", PACKAGE)
    assert installed(dist) == package


def test_two_builds_at_once(workspace, disk, package):
    workspace.bazel("clean")
    cache = f"--disk_cache={disk.folder}/disk_cache"
    first, second = (workspace.start("build", cache, PACKAGE) for _ in range(2))
    assert (first.wait(timeout=180), second.wait(timeout=180)) == (0, 0)
    assert built(workspace) == package


def test_two_installs_at_once(workspace, package, tmp_path):
    script = tmp_path / "install"
    workspace.bazel("run", f"--script_path={script}", PACKAGE)
    for name in "abc":
        dist = tmp_path / name
        both = [subprocess.Popen([script, "--output", dist]) for _ in range(2)]
        assert [one.wait(timeout=60) for one in both] == [0, 0]
        assert installed(dist) == package


@pytest.mark.parametrize("seconds", [1, 4_000_000_000])
def test_clock_that_was_set(workspace, package, seconds):
    """Nothing is decided by times: new ones cause no work, old ones hide no edit."""
    config = workspace.root / "model/mlc-chat-config.json"
    for path in workspace.root.glob("**/*.*"):
        if not path.is_symlink():
            os.utime(path, (seconds, seconds))
    assert workspace.bazel("build", PACKAGE).actions == []
    text = config.read_text()
    for edited in (text.replace('"temperature": 0.', '"temperature": 1.'), text):
        config.write_text(edited)
        os.utime(config, (seconds, seconds))
        build = workspace.bazel("build", PACKAGE)
        assert (build.ran("MlcConfig"), build.ran("MlcCompile")) == (1, 0)
    assert built(workspace) == package


def spoil(path: pathlib.Path) -> None:
    """Changes a byte, and nothing else that shows."""
    status = path.stat()
    data = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(bytes(byte ^ 1 for byte in data[:1]) + data[1:])
    path.chmod(status.st_mode)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_spoiled_outputs_are_made_anew(workspace, package):
    for name in ("lib/libmodel_android.a", "package-manifest.json", "app/MlcModels.kt"):
        spoil(workspace.root / "bazel-bin/pkg" / name)
    workspace.bazel("build", PACKAGE)
    assert built(workspace) == package


def test_spoiled_disk_cache(workspace, disk, package):
    """Filled by the two builds at once: Bazel refuses blobs, and does without results."""
    cache = disk.folder / "disk_cache"
    flag = f"--disk_cache={cache}"
    for path in cache.glob("cas/*/*"):
        spoil(path)
    workspace.bazel("clean")
    assert "does not match received digest" in fails(workspace, "build", flag, PACKAGE)
    for path in sorted(cache.glob("ac/*/*"))[::2]:
        spoil(path)
    workspace.bazel("build", flag, "--remote_download_outputs=all", PACKAGE)
    assert built(workspace) == package
