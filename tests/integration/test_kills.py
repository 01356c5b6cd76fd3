"""Protects builds that are killed at any moment: the next one gives a clean build's bytes.

MLC_TEST_KILLS is how often each kind of process is killed, MLC_TEST_SEED the seed of the moments:
``bazelw test --test_env=MLC_TEST_KILLS=20 --test_output=all //tests/integration:kills_test``
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Collection

import pytest

from tests.integration import processes
from tests.integration.packages import PACKAGE, tree, use_stories
from tests.integration.processes import wait_until
from tests.integration.workspace import Workspace

KILLS = int(os.environ.get("MLC_TEST_KILLS") or 1)
SEED = int(os.environ.get("MLC_TEST_SEED") or 1)

# Which processes to choose from, given the client; the launcher becomes the client by `exec`.
KINDS: dict[str, Callable[[Workspace, int], Collection[int]]] = {
    "launcher": lambda workspace, client: [client],
    "client": lambda workspace, client: [client],
    "server": lambda workspace, client: processes.servers(workspace),
    "worker": lambda workspace, client: processes.workers(workspace),
    "request": lambda workspace, client: processes.requests(workspace),
}


class Subject:
    """A workspace with a package, what an undisturbed build gives, and how long it takes."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        use_stories(workspace)
        self.sources = self.source_files()
        start = time.monotonic()
        workspace.bazel("build", PACKAGE)
        self.seconds = time.monotonic() - start
        self.package = tree(workspace.root / "bazel-bin/pkg")

    def source_files(self) -> dict[str, dict[str, str]]:
        return {
            top.name: tree(top) if top.is_dir() else {"": top.read_text()}
            for root in (self.workspace.root, self.workspace.rules)
            for top in root.iterdir()
            if not top.is_symlink() and top.name != "MODULE.bazel.lock"
        }

    def kill(self, kind: str, moment: float, choose: random.Random) -> bool:
        """Starts a build and kills a process at a moment, or as soon as there is one.

        Returns:
            Whether the build was not over before.
        """
        if kind == "launcher":
            self.workspace.shutdown()
        build = self.workspace.start("build", PACKAGE)
        time.sleep(moment)
        killed = False
        while build.poll() is None and not killed:
            found = sorted(KINDS[kind](self.workspace, build.pid))
            killed = bool(found) and processes.kill(choose.choice(found))
            time.sleep(0.02)
        status = build.wait(timeout=180)
        print(f"{kind}: {moment:.2f} s, killed: {killed}, exit status of the build: {status}")
        return killed

    def check(self) -> None:
        """Builds again: that works, has the same bytes, and nothing else is left."""
        self.workspace.bazel("build", PACKAGE)
        assert tree(self.workspace.root / "bazel-bin/pkg") == self.package
        assert self.source_files() == self.sources
        wait_until(self.is_quiet)

    def is_quiet(self) -> bool:
        """Whether nothing runs but one server and what it has started."""
        servers = processes.servers(self.workspace)
        known = {*servers, *(pid for one in servers for pid in processes.descendants(one))}
        return len(servers) == 1 and processes.of_workspace(self.workspace) <= known


@pytest.fixture(scope="module")
def subject(new_workspace) -> Subject:
    return Subject(new_workspace())


def test_killed_at_any_moment(subject):
    choose = random.Random(SEED)
    # The first build also starts a server and makes repositories, which later ones find.
    limit = subject.seconds / 2 / len(KINDS)
    print(f"seed {SEED}; moments of the first {limit:.1f} s")
    killed = 0
    for _ in range(KILLS):
        subject.workspace.bazel("clean")
        for kind in choose.sample(sorted(KINDS), len(KINDS)):
            killed += subject.kill(kind, choose.uniform(0, limit), choose)
        subject.check()
    print(f"{killed} killed")
    assert killed
