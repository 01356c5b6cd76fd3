"""Protects the promise that an edit redoes only what it changes, in a package of three models."""

from __future__ import annotations

import pytest

from tests.integration.conftest import PREAMBLE

BUILD = (
    PREAMBLE
    + """
[mlc_model_lib(
    name = name + "_lib",
    config = name + ".json",
    overrides = overrides,
) for name, overrides in [
    ("one", {}),
    ("two", {"context_window_size": 192}),
    ("three", {"max_batch_size": 2}),
]]

[mlc_model(
    name = name,
    lib = name + "_lib",
    url = "HF://example/" + name,
) for name in ["one", "two", "three"]]

mlc_package(
    name = "pkg",
    device = "android",
    models = [":one", ":two", ":three"],
)
"""
)


@pytest.fixture(scope="module")
def built(new_workspace):
    workspace = new_workspace()
    for name in ("one", "two", "three"):
        workspace.write(f"{name}.json", (workspace.root / "tiny.json").read_text())
    workspace.write("BUILD.bazel", BUILD)
    build = workspace.bazel("build", "//:pkg")
    assert build.ran("MlcCompile") == 3
    assert build.ran("MlcArchive") == build.ran("MlcPackage") == 1
    return workspace


def test_nothing_changed(built):
    assert built.bazel("build", "//:pkg").actions == []


def test_compilation_mode_and_platform_of_the_caller(built):
    build = built.bazel("build", "-c", "dbg", "//:pkg")
    assert build.ran("MlcCompile") == 0
    built.bazel("build", "//:pkg")


def test_chat_setting(built):
    built.edit_json("one.json", temperature=0.1, top_p=0.5, conv_template="chatml")
    build = built.bazel("build", "//:pkg")
    assert set(build.actions) == {"MlcConfig"}


def test_one_override(built):
    built.write("BUILD.bazel", BUILD.replace("192", "160"))
    build = built.bazel("build", "//:pkg")
    assert build.ran("MlcCompile") == 1
    assert build.ran("MlcConfig") == 1
    assert build.ran("MlcArchive") == 1


def test_second_device_leaves_the_first_alone(built):
    build_file = built.root / "BUILD.bazel"
    iphone = 'mlc_package(name = "iphone", device = "iphone", models = [":one"])\n'
    build_file.write_text(build_file.read_text() + iphone)
    build = built.bazel("build", "//...")
    assert build.ran("MlcCompile") == 1
    assert built.bazel("build", "//:pkg").actions == []
