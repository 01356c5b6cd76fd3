"""The package that is built with caches and remotely, and what became of it."""

from __future__ import annotations

import hashlib
import re

from tests.integration.workspace import Workspace

PACKAGE = """
mlc_model(name = "stories", lib = ":stories_lib", weights = ":stories_weights")
mlc_package(name = "pkg", device = "android", models = [":stories"])
"""


def build(workspace: Workspace, *flags: str) -> dict[str, int]:
    """Build the package; returns how many actions ran where, as Bazel sums them up."""
    return processes(workspace.bazel("build", *flags, "//:pkg").stderr)


def processes(stderr: str) -> dict[str, int]:
    """The counts of Bazel's line `N processes: 3 internal, 2 remote cache hit.`"""
    (summary,) = re.findall(r"^INFO: \d+ process(?:es)?: (.*)\.$", stderr, re.MULTILINE)
    return {kind: int(count) for count, kind in re.findall(r"(\d+) ([a-z- ]+)", summary)}


def tree(workspace: Workspace) -> dict[str, str]:
    """Path -> sha256 of every file of the package."""
    root = workspace.root / "bazel-bin/pkg"
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }
