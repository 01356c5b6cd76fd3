"""Workspaces of many models."""

from __future__ import annotations

import json
import shutil

from benchmarks.workspace import MODULE, ROOT, Workspace

MODEL = ROOT / "examples/quickstart/model"

_FILES = "model-files"

MODULE_WITH_CONFIG = (
    MODULE
    + """
mlc = use_extension("@rules_mlc//rules:extensions.bzl", "mlc")
mlc.package(name = "listed", config = "//listed:mlc-package-config.json")
use_repo(mlc, "listed")
"""
)

_BUILD = """\
load("@rules_mlc//rules:defs.bzl", "mlc_model", "mlc_model_lib", "mlc_package", "mlc_weight_bundle")

NAMES = {names}

[mlc_model_lib(
    name = name + "_lib",
    config = name + "/mlc-chat-config.json",
    overrides = {{"max_batch_size": 4}} if index % 5 == 0 else {{}},
) for index, name in enumerate(NAMES)]

[mlc_weight_bundle(
    name = name + "_weights",
    directory = name,
) for name in NAMES[::2]]

[mlc_model(
    name = name,
    lib = name + "_lib",
    weights = name + "_weights",
) for name in NAMES[::2]]

[mlc_model(
    name = name,
    lib = name + "_lib",
    url = "HF://example/" + name,
) for name in NAMES[1::2]]

mlc_package(name = "phone", device = "android", models = NAMES[:4])

mlc_package(name = "tablet", device = "android", models = NAMES[2:])

mlc_package(name = "iphone", device = "iphone", models = NAMES[:4])
"""

GROUP = 10
"""Models of a Bazel package, which has three mlc_package targets."""


def write(workspace: Workspace, count: int) -> None:
    """Fills a workspace: models in groups, and a tenth of them in an mlc-package-config.json.

    A half of the models is bundled, from directories of regular files, as models have: the
    quickstart's, whose bytes are on the disk once. Libraries have one of two compile keys for
    each device, so that building them compiles four.

    Args:
        workspace: Made with `MODULE_WITH_CONFIG`.
        count: How many models in all, a multiple of 10.
    """
    shutil.copytree(MODEL, workspace.root.parent / _FILES)
    listed = count // 10
    names = [f"model_{index}" for index in range(count)]
    for name in names[:listed]:
        _write_model(workspace, f"listed/{name}")
    entries = [
        {"model": name, "model_id": name, "bundle_weight": True, "estimated_vram_bytes": 1 << 30}
        for name in names[:listed]
    ]
    config = {"device": "android", "model_list": entries}
    workspace.write("listed/mlc-package-config.json", json.dumps(config, indent=2))
    workspace.write("listed/BUILD.bazel", 'exports_files(["mlc-package-config.json"])\n')
    for start in range(listed, count, GROUP):
        group = names[start : start + GROUP]
        folder = f"group_{start // GROUP}"
        workspace.write(f"{folder}/BUILD.bazel", _BUILD.format(names=json.dumps(group)))
        for name in group:
            _write_model(workspace, f"{folder}/{name}")


def _write_model(workspace: Workspace, folder: str) -> None:
    directory = workspace.root / folder
    directory.mkdir(parents=True)
    for path in (workspace.root.parent / _FILES).iterdir():
        if path.name != "mlc-chat-config.json":
            (directory / path.name).hardlink_to(path)
    config = json.loads((MODEL / "mlc-chat-config.json").read_text(encoding="utf-8"))
    config["temperature"] = 0.5
    workspace.write(f"{folder}/mlc-chat-config.json", json.dumps(config, indent=2))
