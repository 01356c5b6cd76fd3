"""Protects the choice of another compiler, by package or flag, for models that only it knows."""

from __future__ import annotations

import json
import sys

import pytest

from tests import fake_upstream
from tests.integration.conftest import PREAMBLE, TINY_CONFIG

TAG = """
mlc = use_extension("@rules_mlc//rules:extensions.bzl", "mlc")
mlc.upstream_compiler({attributes})
use_repo(mlc, "mlc_upstream_compiler")
"""

TRACKED = "startup --host_jvm_args=-DBAZEL_TRACK_SOURCE_DIRECTORIES=1\n"

BUILD = (
    PREAMBLE
    + """
mlc_model_lib(name = "new_lib", config = "new.json", overrides = {"context_window_size": 128})
mlc_model(name = "new", lib = ":new_lib", url = "HF://example/new")
mlc_package(
    name = "pkg",
    compiler = "@mlc_upstream_compiler//:toolchain",
    device = "android",
    models = [":new"],
)
mlc_package(name = "embedded", device = "android", models = [":new"])
"""
)


@pytest.fixture
def workspace(new_workspace, tmp_path):
    made = new_workspace()
    site = fake_upstream.make(tmp_path / "site")
    attributes = f'environment = "{sys.executable}", python_path = ["{site}"]'
    module = (made.root / "MODULE.bazel").read_text()
    made.write("MODULE.bazel", module + TAG.format(attributes=attributes))
    made.write("new.json", json.dumps({**TINY_CONFIG, "model_type": "brand_new"}))
    made.write("BUILD.bazel", BUILD)
    settings = (made.root / ".bazelrc").read_text()
    made.write(".bazelrc", f"{TRACKED}{settings}")
    return made


def test_a_package_of_upstreams_compiler(workspace):
    built = workspace.bazel("build", "//:pkg")
    assert built.ran("MlcCompile") == 1
    assert "WARNING" not in built.stderr
    package = workspace.root / "bazel-bin/pkg"
    manifest = json.loads((package / "package-manifest.json").read_text())
    assert manifest["versions"] == {
        "compiler": "mlc_llm 0.1.dev7",
        "symbol_suffix": "__tvm_ffi__library_bin",
        "tvm": "0.26.0",
        "tvm_ffi": "0.1.13.post3",
    }
    (library,) = manifest["libraries"]
    assert library["metadata"]["given"]["overrides"] == "context_window_size=128"

    workspace.edit_json("new.json", temperature=0.1)
    assert workspace.bazel("build", "//:pkg").actions == ["MlcConfig"]

    refused = workspace.bazel("build", "//:embedded", check=False)
    assert [line for line in refused.errors() if 'unknown model_type "brand_new"' in line]

    flag = "--extra_toolchains=@mlc_upstream_compiler//:toolchain"
    assert workspace.bazel("build", flag, "//:embedded").returncode == 0
