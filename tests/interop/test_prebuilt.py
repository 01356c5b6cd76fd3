"""A package of a library compiled elsewhere is the one of the same library compiled here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parent


def _manifest(package: str) -> dict:
    return json.loads((PACKAGES / package / "package-manifest.json").read_bytes())


@pytest.mark.parametrize("device", ["cpu", "iphone"])
def test_same_package(device):
    compiled, prebuilt = _manifest(f"compiled_{device}"), _manifest(f"prebuilt_{device}")
    assert compiled.pop("versions")["compiler"] == "embedded"
    assert prebuilt.pop("versions") == {
        "compiler": "prebuilt",
        "symbol_suffix": "__tvm_ffi__library_bin",
        "tvm": "0.27.0",
    }
    for manifest in (compiled, prebuilt):
        # Those of the app's sources name the target.
        manifest["files"] = [f for f in manifest["files"] if not f["path"].startswith("app/")]
    assert compiled == prebuilt
    assert len(compiled["files"]) == 2
