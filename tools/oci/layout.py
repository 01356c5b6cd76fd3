"""A package as an OCI image layout with one artifact, as the ModelPack specification has it.

Every file is a layer of its own, unarchived and uncompressed, so that a layer's digest is the
file's: what two packages share is one blob of a registry.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

from tools import cli
from tools.cli import UserError
from tools.package.manifest import NAME as MANIFEST
from tools.package.manifest import load as load_manifest
from tools.package.placement import sha256

# OCI image specification 1.1.
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
_REF_NAME = "org.opencontainers.image.ref.name"

# ModelPack specification 1.
_ARTIFACT_TYPE = "application/vnd.cncf.model.manifest.v1+json"
_CONFIG_TYPE = "application/vnd.cncf.model.config.v1+json"
_WEIGHT = "application/vnd.cncf.model.weight.v1.raw"
_WEIGHT_CONFIG = "application/vnd.cncf.model.weight.config.v1.raw"
_CODE = "application/vnd.cncf.model.code.v1.raw"
_FILE_PATH = "org.cncf.model.filepath"


def write_layout(manifest: Path, output: Path, name: str, tag: str) -> str:
    """Writes the layout; its bytes depend on the package alone.

    Args:
        manifest: The package's manifest; the files it lists are beside it.
        output: The directory to write, which is there and empty.
        name: The artifact's name.
        tag: The reference under which the layout's index has it.

    Returns:
        The digest of the artifact's manifest, ``sha256:...``.

    Raises:
        UserError: A file is not what the manifest says.
    """
    package = load_manifest(manifest)
    blobs = output / "blobs/sha256"
    blobs.mkdir(parents=True)
    layers = [
        _file_layer(manifest.parent / file["path"], file, blobs)
        for file in [*package["files"], _own_entry(manifest)]
    ]
    config = _blob(blobs, _config(package, name, layers))
    artifact = _blob(
        blobs,
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST_TYPE,
            "artifactType": _ARTIFACT_TYPE,
            "config": {"mediaType": _CONFIG_TYPE, **config},
            "layers": layers,
        },
    )
    entry = {"mediaType": _MANIFEST_TYPE, "artifactType": _ARTIFACT_TYPE, **artifact}
    index = {
        "schemaVersion": 2,
        "mediaType": _INDEX_TYPE,
        "manifests": [{**entry, "annotations": {_REF_NAME: tag}}],
    }
    cli.write_json(output / "oci-layout", {"imageLayoutVersion": "1.0.0"})
    cli.write_json(output / "index.json", index)
    return artifact["digest"]


def media_type(path: str) -> str:
    """Returns the type of the layer of a package's file."""
    name = os.path.basename(path)
    if path.startswith("bundle/") and name.startswith("params_shard_"):
        return _WEIGHT
    return _CODE if path.startswith(("app/", "lib/")) else _WEIGHT_CONFIG


def _own_entry(manifest: Path) -> dict[str, Any]:
    data = manifest.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return {"path": MANIFEST, "nbytes": len(data), "sha256": digest}


def _file_layer(source: Path, file: dict[str, Any], blobs: Path) -> dict[str, Any]:
    """Copies a file to its blob; returns its descriptor."""
    target = blobs / file["sha256"]
    if not target.exists():
        shutil.copyfile(source, target)
        if sha256(target) != file["sha256"]:
            raise UserError(f"{source}: is not the file of the manifest; build the package again")
    return {
        "mediaType": media_type(file["path"]),
        "digest": f"sha256:{file['sha256']}",
        "size": file["nbytes"],
        "annotations": {_FILE_PATH: file["path"]},
    }


def _blob(blobs: Path, value: dict[str, Any]) -> dict[str, Any]:
    """Writes a JSON blob; returns digest and size of its descriptor."""
    data = cli.json_text(value).encode("utf-8")
    digest = hashlib.sha256(data).hexdigest()
    cli.write_bytes(blobs / digest, data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def _config(package: dict[str, Any], name: str, layers: list[dict[str, Any]]) -> dict[str, Any]:
    """Returns the artifact's config; what differs between the package's models is not in it."""
    metadata = [library["metadata"] for library in package.get("libraries", [])]
    families = {entry["model_type"] for entry in metadata}
    quantizations = {entry["quantization"] for entry in metadata}
    descriptor = {"name": name}
    config = {"format": "mlc"}
    if len(families) == 1:
        descriptor["family"] = families.pop()
    if len(quantizations) == 1:
        config["quantization"] = quantizations.pop()
    return {
        "descriptor": descriptor,
        "config": config,
        "modelfs": {"type": "layers", "diffIds": [layer["digest"] for layer in layers]},
    }
