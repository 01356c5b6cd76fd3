"""Protects OCI layouts from being to our own taste: skopeo, which is not ours, takes them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def skopeo(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = ["skopeo", "--insecure-policy", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_every_file_of_the_package_is_copied(tmp_path):
    done = skopeo("copy", f"oci:{HERE / 'iphone_app.oci'}:latest", f"dir:{tmp_path}")
    assert done.returncode == 0, done.stderr
    files = json.loads((HERE / "iphone_app/package-manifest.json").read_bytes())["files"]
    assert {file["sha256"] for file in files} < {path.name for path in tmp_path.iterdir()}
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert manifest["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"


def test_a_layer_that_is_not_its_digest_is_refused(tmp_path):
    """So the copy above says something."""
    layout = tmp_path / "layout"
    shutil.copytree(HERE / "iphone_app.oci", layout)
    files = json.loads((HERE / "iphone_app/package-manifest.json").read_bytes())["files"]
    blob = layout / "blobs/sha256" / files[0]["sha256"]
    blob.chmod(0o644)
    blob.write_bytes(bytes(blob.stat().st_size))
    done = skopeo("copy", f"oci:{layout}:latest", f"dir:{tmp_path / 'copy'}")
    assert done.returncode != 0
    assert files[0]["sha256"] in done.stderr
