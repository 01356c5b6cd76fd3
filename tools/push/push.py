"""Puts the bundled models of a package onto an Android device, where its app looks for them."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Callable
from pathlib import Path

from tools.cli import UserError, warn
from tools.package.manifest import load as load_manifest
from tools.push.adb import Device

# Where adb may write. An app's own directory it may only move files into.
_STAGING = "/data/local/tmp/rules_mlc"
_BUNDLE = "bundle/"


@dataclasses.dataclass(frozen=True)
class File:
    """A file of a model: its path below the app's directory, and what the manifest says of it."""

    path: str
    source: Path
    nbytes: int
    sha256: str


def bundled_files(manifest: Path, root: Path) -> list[File]:
    """Returns the files of the bundled models.

    Args:
        manifest: The package's manifest.
        root: The directory in which its paths are.

    Raises:
        UserError: The package bundles no weights, or is not there as a whole.
    """
    files = []
    for entry in load_manifest(manifest)["files"]:
        path = entry["path"].removeprefix(_BUNDLE)
        if path == entry["path"] or "/" not in path:
            continue
        source = root / entry["path"]
        if not source.is_file() or source.stat().st_size != entry["nbytes"]:
            raise UserError(f"{source}: is not the file of the manifest; build the package again")
        files.append(File(path, source, entry["nbytes"], entry["sha256"]))
    if not files:
        raise UserError(f"{manifest}: bundles no weights; set bundle_weight of its models")
    return files


def app_directory(application_id: str) -> str:
    """Returns where on the device the app looks for models."""
    return f"/storage/emulated/0/Android/data/{application_id}/files"


def outdated(device: Device, directory: str, files: list[File]) -> list[File]:
    """Returns the files that the device lacks, or has with other contents.

    Where the device cannot compute digests, which is said, the sizes decide.
    """
    sizes = device.sizes(directory)
    same_size = [file for file in files if sizes.get(file.path) == file.nbytes]
    digests = device.sha256(directory, [file.path for file in same_size])
    if digests is None and same_size:
        warn("the device has no sha256sum: files of the right size are taken for unchanged")
        digests = {file.path: file.sha256 for file in same_size}
    return [file for file in files if (digests or {}).get(file.path) != file.sha256]


def push(device: Device, directory: str, files: list[File], pushed: Callable[[], None]) -> None:
    """Puts files onto the device, each under its name only when it is there as a whole.

    Args:
        device: The device.
        directory: The app's directory on it.
        files: What to put there.
        pushed: Is called after each file.
    """
    _shell(device, "making the directory of staged files", f"mkdir -p {_STAGING}")
    try:
        for file in files:
            staged, target = f"{_STAGING}/{file.sha256}", f"{directory}/{file.path}"
            device.check(f"pushing {file.path}", "push", str(file.source), staged)
            parent, partial = target.rpartition("/")[0], f"{target}.partial"
            _shell(
                device,
                f"moving {file.path} into the app's directory",
                " && ".join(
                    [
                        f"mkdir -p {shlex.quote(parent)}",
                        f"mv -f {staged} {shlex.quote(partial)}",
                        f"mv -f {shlex.quote(partial)} {shlex.quote(target)}",
                    ]
                ),
            )
            pushed()
    finally:
        device.shell(f"rm -rf {_STAGING}")


def _shell(device: Device, what: str, command: str) -> None:
    device.check(what, "shell", command)
