"""Protects what the private Bazel is recorded doing: its commands do their work, on any Bazel."""

from __future__ import annotations

import subprocess

from tests.integration import http_cache
from tests.integration.workspace import SHORT_LIVED
from tools.bazel.prefix import training


def test_every_recorded_command_succeeds_and_reads_the_caches(new_workspace):
    workspace = new_workspace()
    workspace.write(".bazelrc", SHORT_LIVED + "common --lockfile_mode=off\n")
    for name, text in training.FILES.items():
        workspace.write(name, text)
    launcher = [workspace.rules / "bazelw", f"--output_user_root={workspace.output_root}"]
    said = []
    with http_cache.running() as cache:
        for command in training.commands(cache.url):
            done = subprocess.run(
                [*launcher, *command],
                cwd=workspace.root,
                env=workspace.environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, (command, done.stderr)
            said.append(done.stderr)
    assert "disk cache hit" in said[3]
    assert "remote cache hit" in said[5]
