"""Protects the promise of equal bytes: two folders, two ways to run the tools, one result."""

from __future__ import annotations

import hashlib
import pathlib

from tests.integration.conftest import PREAMBLE
from tests.integration.workspace import runfile

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


def tree(root: pathlib.Path) -> dict[str, str]:
    """Path -> sha256 of every file of the three packages."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in ("android", "cpu", "iphone")
        for path in sorted((root / name).rglob("*"))
        if path.is_file()
    }


def build_all(workspace, *flags: str) -> dict[str, str]:
    model = workspace.root / "model"
    model.mkdir()
    for file in runfile("examples/quickstart/model").iterdir():
        (model / file.name).write_bytes(file.read_bytes())
    workspace.write("BUILD.bazel", BUILD)
    build = workspace.bazel("build", *flags, "//:android", "//:cpu", "//:iphone")
    assert build.ran("MlcCompile") == 3
    return tree(workspace.root / "bazel-bin")


def test_equal_bytes_in_two_output_bases(new_workspace):
    """Persistent workers in one; a process an action and mapped paths in the other."""
    first = build_all(new_workspace(), "--spawn_strategy=worker,local")
    second = build_all(
        new_workspace(),
        "--@rules_mlc//rules/settings:persistent_workers=false",
        "--experimental_output_paths=strip",
        "--spawn_strategy=sandboxed,local",
    )
    assert first == second
    assert {"android/lib/libmodel_android.a", "iphone/bundle/stories/tensor-cache.json"} <= set(
        first
    )
