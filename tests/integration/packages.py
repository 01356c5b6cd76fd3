"""A small package with everything that one can have: a compiled library and bundled weights."""

from __future__ import annotations

import hashlib
import pathlib

from tests.integration.conftest import PREAMBLE
from tests.integration.workspace import Workspace, runfile

PACKAGE = "//:pkg"

BUILD = (
    PREAMBLE
    + """
mlc_model_lib(name = "lib", config = "model/mlc-chat-config.json")
mlc_weight_bundle(name = "weights", directory = "model")
mlc_model(name = "stories", lib = ":lib", weights = ":weights")
mlc_package(name = "pkg", device = "android", models = [":stories"])
"""
)


def use_stories(workspace: Workspace) -> None:
    """Gives a workspace the quickstart's model, and a package of it."""
    copy_stories(workspace)
    workspace.write("BUILD.bazel", BUILD)


def copy_stories(workspace: Workspace, folder: str = "model") -> None:
    """Copies the quickstart's model into a folder of a workspace."""
    model = workspace.root / folder
    model.mkdir(parents=True)
    for file in runfile("examples/quickstart/model").iterdir():
        (model / file.name).write_bytes(file.read_bytes())


def tree(folder: pathlib.Path) -> dict[str, str]:
    """The sha256 of every file of a folder by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
