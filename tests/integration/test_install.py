"""Protects `bazel run` on a package: dist/ beside the BUILD file, changed file by file."""

from __future__ import annotations

import json

from tests.integration.conftest import PREAMBLE

BUILD = (
    PREAMBLE
    + """
mlc_model_lib(name = "lib", config = "//:tiny.json")
mlc_model(name = "one", lib = ":lib", url = "HF://example/one")
mlc_package(name = "pkg", device = "android", models = [":one"])
"""
)


def test_install_twice_and_elsewhere(new_workspace):
    workspace = new_workspace()
    workspace.write("BUILD.bazel", 'exports_files(["tiny.json"])\n')
    workspace.write("app/BUILD.bazel", BUILD)
    theirs = workspace.write("app/dist/README", "the app's own file")

    first = workspace.bazel("run", "//app:pkg")
    dist = workspace.root / "app/dist"
    manifest = json.loads((dist / "package-manifest.json").read_text())
    for file in manifest["files"]:
        assert (dist / file["path"]).stat().st_size == file["nbytes"]
    assert not any(path.is_symlink() for path in dist.rglob("*"))
    assert theirs.read_text() == "the app's own file"
    assert first.stdout.startswith("app/dist: 5 files, ")
    assert first.stdout.endswith(": 5 linked\n")

    again = workspace.bazel("run", "//app:pkg")
    assert "5 up to date" in again.stdout

    workspace.bazel("run", "//app:pkg", "--", "--output", "elsewhere")
    assert (workspace.root / "elsewhere/lib/libmodel_android.a").exists()
