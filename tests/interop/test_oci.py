"""The OCI layout of a package has the package's files, one layer each."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

HERE = Path(__file__).parent


def test_layers_are_the_packages_files():
    layout = HERE / "iphone_app.oci"
    (entry,) = json.loads((layout / "index.json").read_bytes())["manifests"]
    artifact = json.loads((layout / "blobs" / entry["digest"].replace(":", "/")).read_bytes())
    layers = {
        layer["annotations"]["org.cncf.model.filepath"]: layer["digest"]
        for layer in artifact["layers"]
    }
    manifest = json.loads((HERE / "iphone_app/package-manifest.json").read_bytes())
    assert layers.keys() == {file["path"] for file in manifest["files"]} | {"package-manifest.json"}
    for path, digest in layers.items():
        data = (HERE / "iphone_app" / path).read_bytes()
        assert f"sha256:{hashlib.sha256(data).hexdigest()}" == digest
        assert (layout / "blobs" / digest.replace(":", "/")).read_bytes() == data
