"""The layout has every file of the package as a blob of its digest, and no other blob."""

from __future__ import annotations

import hashlib
import json

import pytest

from tools import cli
from tools.oci.__main__ import main

FILES = {
    "bundle/mlc-app-config.json": b"{}",
    "bundle/phi/params_shard_0.bin": b"weights",
    "bundle/phi/tokenizer.json": b"{}",
    "lib/libmodel_android.a": b"!<arch>\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package in the current directory."""
    monkeypatch.chdir(tmp_path)
    entries = []
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
        digest = hashlib.sha256(data).hexdigest()
        entries.append({"path": path, "nbytes": len(data), "sha256": digest})
    metadata = {"model_type": "phi", "quantization": "q4f16_1"}
    manifest = {"files": entries, "libraries": [{"metadata": metadata}]}
    (tmp_path / "package-manifest.json").write_text(json.dumps(manifest))
    return tmp_path


def _write(output):
    main(["--manifest", "package-manifest.json", "--output", output, "--name", "//app:phi"])


def _tree(root):
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


def _blob(files, descriptor):
    data = files.pop(f"blobs/sha256/{descriptor['digest'].removeprefix('sha256:')}")
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" == descriptor["digest"]
    assert len(data) == descriptor["size"]
    return data


@pytest.mark.parametrize("text", ["[]", "{}", '{"files": [{"path": "a"}]}'])
def test_something_else_as_the_manifest(package, text):
    (package / "package-manifest.json").write_text(text)
    with pytest.raises(cli.UserError, match="is not a package manifest; expected an object with"):
        _write("layout")
    assert not (package / "layout").exists()


def test_directory_of_something_else_is_kept(package):
    (package / "mine").mkdir()
    (package / "mine/file").touch()
    with pytest.raises(cli.UserError, match="--output mine: is no OCI layout to replace; give a"):
        _write("mine")
    assert _tree(package / "mine") == {"file": b""}


def test_every_blob_is_referred_to_by_its_digest(package):
    _write("layout")
    files = _tree(package / "layout")
    assert json.loads(files.pop("oci-layout")) == {"imageLayoutVersion": "1.0.0"}
    (entry,) = json.loads(files.pop("index.json"))["manifests"]
    assert entry["annotations"] == {"org.opencontainers.image.ref.name": "latest"}
    artifact = json.loads(_blob(files, entry))
    assert artifact["artifactType"] == "application/vnd.cncf.model.manifest.v1+json"
    config = json.loads(_blob(files, artifact["config"]))
    assert config == {
        "descriptor": {"name": "//app:phi", "family": "phi"},
        "config": {"format": "mlc", "quantization": "q4f16_1"},
        "modelfs": {"type": "layers", "diffIds": [layer["digest"] for layer in artifact["layers"]]},
    }
    found = {}
    for layer in artifact["layers"]:
        path = layer["annotations"]["org.cncf.model.filepath"]
        kind = layer["mediaType"].removeprefix("application/vnd.cncf.model.")
        # Equal files are one blob.
        data = FILES["bundle/phi/tokenizer.json"] if path == "bundle/phi/tokenizer.json" else None
        found[path] = (kind, data or _blob(files, layer))
    manifest = (package / "package-manifest.json").read_bytes()
    assert found == {
        "bundle/mlc-app-config.json": ("weight.config.v1.raw", b"{}"),
        "bundle/phi/params_shard_0.bin": ("weight.v1.raw", b"weights"),
        "bundle/phi/tokenizer.json": ("weight.config.v1.raw", b"{}"),
        "lib/libmodel_android.a": ("code.v1.raw", b"!<arch>\n"),
        "package-manifest.json": ("weight.config.v1.raw", manifest),
    }
    assert files == {}


def test_same_bytes_in_every_run(package):
    _write("first")
    _write("second")
    assert _tree(package / "first") == _tree(package / "second")


def test_file_that_is_not_the_manifests(package):
    (package / "lib/libmodel_android.a").write_bytes(b"!<ARCH>\n")
    with pytest.raises(cli.UserError, match=r"^lib/libmodel_android.a: is not the file of the man"):
        _write("layout")
    assert not (package / "layout").exists()
