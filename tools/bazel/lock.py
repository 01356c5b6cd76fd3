"""The lock file of the Debian packages: versions that were current once, by architecture.

A cache of what the signed index said: it saves the index's 10 MB as long as the mirror has those
versions, and nothing depends on it.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from . import mirrors
from .download import Downloader, Package
from .index import read_index, resolve
from .machine import MACHINES
from .prefix import packages
from .signature import archive_keyring

PATH = Path(__file__).parent / "prefix/packages.lock.json"


def read(architecture: str, path: Path = PATH) -> list[Package]:
    """Returns the locked packages of a Debian architecture, none if there is no lock for it."""
    if not path.is_file():
        return []
    pins = json.loads(path.read_text(encoding="utf-8")).get(architecture, {})
    return [Package(name=name, **pin) for name, pin in pins.items()]


def write(locked: dict[str, Sequence[Package]], path: Path = PATH) -> None:
    """Writes the locked packages by Debian architecture, atomically."""
    content = {}
    for architecture, found in sorted(locked.items()):
        pins = {package.name: asdict(package) for package in found}
        content[architecture] = {name: pins[name] for name in sorted(pins)}
        for pin in pins.values():
            del pin["name"]
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(temporary, path)


def update(path: Path = PATH) -> None:
    """Locks the versions that are current now, for every supported machine.

    Raises:
        LauncherError: The signed index could not be read, or lacks a package.
    """
    with tempfile.TemporaryDirectory() as folder:
        downloader = Downloader(mirrors.find_mirrors(), Path(folder), mirrors.apt_proxies())
        locked = {}
        for machine in MACHINES.values():
            index = read_index(downloader, packages.SUITE, machine.debian, archive_keyring())
            locked[machine.debian] = [entry.package() for entry in resolve(index)]
        write(locked, path)
