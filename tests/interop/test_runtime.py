"""A package with a runtime is all that an app needs, and its manifest lists all of it."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent


@pytest.mark.parametrize(
    ("package", "files"),
    [
        ("iphone_app", ["lib/libmlc_llm.a", "lib/libmodel_iphone.a"]),
        (
            "android_app",
            [
                "lib/libmodel_android.a",
                "lib/mlc4j/build.gradle",
                "lib/mlc4j/output/arm64-v8a/libtvm4j_runtime_packed.so",
                "lib/mlc4j/src/main/assets/mlc-app-config.json",
            ],
        ),
    ],
)
def test_manifest_lists_the_runtime(package, files):
    root = PACKAGES / package
    manifest = json.loads((root / "package-manifest.json").read_bytes())
    assert [f["path"] for f in manifest["files"] if f["path"].startswith("lib/")] == files
    for file in manifest["files"]:
        assert hashlib.sha256((root / file["path"]).read_bytes()).hexdigest() == file["sha256"]
    assert manifest["versions"]["runtime_tvm"] == "0.27.0"


def test_xcode_links_what_the_package_has():
    text = (PACKAGES / "iphone_app/app/mlc.xcconfig").read_text()
    assert "-lmodel_iphone -lmlc_llm -Wl,-u,_tiny___tvm_ffi__library_bin\n" in text
    symbols = (PACKAGES / "iphone_app/app/exported_symbols.txt").read_text().splitlines()
    assert "_tiny___tvm_ffi__library_bin" in symbols


def test_app_config_of_the_package_is_in_the_assets():
    root = PACKAGES / "android_app"
    assets = root / "lib/mlc4j/src/main/assets/mlc-app-config.json"
    assert assets.read_bytes() == (root / "bundle/mlc-app-config.json").read_bytes()
    assert b"tiny" in assets.read_bytes()
