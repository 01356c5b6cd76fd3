"""Protects the promise of equal bytes: two folders, two ways to run the tools, one result."""

from __future__ import annotations

from tests.integration.conftest import PREAMBLE
from tests.integration.packages import copy_stories, tree

NAMES = ("android", "cpu", "iphone")
BUILD = (
    PREAMBLE
    + """
mlc_model_lib(name = "lib", config = "model/mlc-chat-config.json")
mlc_weight_bundle(name = "weights", directory = "model")
mlc_model(name = "stories", lib = ":lib", weights = ":weights")
mlc_package(name = "android", device = "android", models = [":stories"])
mlc_package(name = "cpu", device = "cpu", models = [":stories"])
mlc_package(name = "iphone", device = "iphone", models = [":stories"])
"""
)


def build_all(workspace, *flags: str) -> dict[str, dict[str, str]]:
    """The files of the three packages."""
    copy_stories(workspace)
    workspace.write("BUILD.bazel", BUILD)
    build = workspace.bazel("build", *flags, "//:android", "//:cpu", "//:iphone")
    assert build.ran("MlcCompile") == 3
    return {name: tree(workspace.root / "bazel-bin" / name) for name in NAMES}


def test_equal_bytes_in_two_output_bases(new_workspace):
    """Persistent workers in one; a process an action and mapped paths of compiles in the other."""
    first = build_all(new_workspace(), "--spawn_strategy=worker,local")
    second = build_all(
        new_workspace(),
        "--config=shared-cache",
        "--@rules_mlc//rules/settings:persistent_workers=false",
        "--spawn_strategy=sandboxed,local",
    )
    assert first == second
    assert "lib/libmodel_android.a" in first["android"]
    assert "bundle/stories/tensor-cache.json" in first["iphone"]
