"""Protects users of WORKSPACE files: the same rules, the same bytes as for users of modules."""

from __future__ import annotations

import hashlib
import pathlib
import re

from tests.integration.conftest import PREAMBLE
from tests.integration.packages import copy_stories
from tests.integration.workspace import Workspace, installed_repository

BUILD = (
    PREAMBLE
    + """
mlc_model_lib(name = "lib", config = "model/mlc-chat-config.json")
mlc_weight_bundle(name = "weights", directory = "model")
mlc_model(name = "stories", lib = ":lib", weights = ":weights")
mlc_package(name = "pkg", device = "android", models = [":stories"])
"""
)

WORKSPACE = """\
workspace(name = "app")

{repositories}

load("@rules_mlc//rules:repositories.bzl", "rules_mlc_repositories", "rules_mlc_toolchains")

rules_mlc_repositories()

rules_mlc_toolchains()
"""

LOCAL_REPOSITORY = 'local_repository(name = "{name}", path = "{path}")'


def package(workspace: Workspace) -> dict[str, str]:
    """Path -> sha256 of every file of the package."""
    root = workspace.root / "bazel-bin/pkg"
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file()
    }


def fetched_modules(workspace: Workspace) -> dict[str, pathlib.Path]:
    """Name and directory of each module that the workspace's Bazel has fetched."""
    external = pathlib.Path(workspace.bazel("info", "output_base").stdout.strip()) / "external"
    return {
        name.group(1): path.resolve()
        for path in external.iterdir()
        if (name := re.fullmatch(r"(\w+)[~+]", path.name)) and path.is_dir()
    }


def test_same_package(new_workspace):
    workspace = new_workspace()
    copy_stories(workspace)
    workspace.write("BUILD.bazel", BUILD)
    workspace.bazel("build", "//:pkg")
    of_module = package(workspace)
    assert "bundle/stories/tensor-cache.json" in of_module

    repositories = {**fetched_modules(workspace), "rules_mlc": workspace.rules}
    lines = [LOCAL_REPOSITORY.format(name=n, path=p) for n, p in sorted(repositories.items())]
    workspace.write("WORKSPACE", WORKSPACE.format(repositories="\n".join(lines)))
    (workspace.root / "MODULE.bazel").unlink()
    workspace.bazel(
        "build",
        "--enable_workspace",
        "--noenable_bzlmod",
        f"--override_repository=mlc_python={installed_repository('mlc_python', 'stamp.json')}",
        "//:pkg",
    )
    assert package(workspace) == of_module
