"""Installs the private Bazel once, whatever happens meanwhile."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from . import disk, lock, mirrors, wheels
from .download import Downloader, GoneError, Package
from .errors import LauncherError
from .index import read_index, resolve
from .machine import Machine, this_machine
from .prefix import packages, server_cache
from .prefix.assemble import assemble
from .progress import Progress, say
from .signature import archive_keyring

_INSTALLED_BYTES = 220_000_000
"""What an install takes on the disk besides its downloads, and the cache of its server."""

_UNUSED_AFTER = 30 * 24 * 3600
"""Seconds after its last use when another launcher's install is removed."""


def install(cache: Path, name: str) -> Path:
    """Installs the private Bazel as ``cache / name``, unless it is there already.

    Downloads stay in the cache, so that an install that was killed goes on where it was. The
    folder appears at once, by a rename, when all is in it but the cache of its server, which is
    made in its place. Only one process installs; others wait for it and use its result.

    Args:
        cache: The launcher's cache folder; created.
        name: Name of the install's folder.

    Returns:
        The install's folder.

    Raises:
        LauncherError: See the modules this one calls. Nothing half-made stays.
    """
    machine = this_machine()
    cache = cache.absolute()
    final = cache / name
    disk.make_folder(cache)
    with _only_one(cache):
        started = time.monotonic()
        if not final.is_dir():
            say(f"installing a private Bazel {packages.BAZEL} into {final} (once)")
            _install(cache, final, machine)
        if not (final / server_cache.NAME).exists():
            _make_server_cache(final)
            say(f"installed in {time.monotonic() - started:.0f} s")
    return final


def _install(cache: Path, final: Path, machine: Machine) -> None:
    building = _scratch(final)
    wheels.check_pip()
    debs, versions = _fetch_packages(cache / "packages", machine)
    pip = wheels.fetch_wheels(cache / "wheels")
    say(f"unpacking {len(debs)} packages")
    try:
        with disk.full_is_clear(building):
            building.mkdir()
            assemble(building, final, debs, pip, machine)
            contents = {"packages": versions, "wheels": sorted(path.name for path in pip.values())}
            text = json.dumps(contents, indent=2, sort_keys=True)
            (building / "installed.json").write_text(text + "\n", encoding="utf-8")
            os.rename(building, final)
    finally:
        disk.remove_folder(building)
    _remove_unused(cache, {final, *debs.values(), *pip.values()})


def _make_server_cache(final: Path) -> None:
    """Makes the cache of the server; without it, an install is complete too."""
    say("recording Bazel's server, so that it starts fast (once)")
    scratch = _scratch(final)
    try:
        scratch.mkdir()
        server_cache.make(final, scratch)
    except (LauncherError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        say(f"no cache for Bazel's server, which starts slowly without it: {reason}")
        (final / server_cache.NAME).touch()
    finally:
        disk.remove_folder(scratch)


def _scratch(final: Path) -> Path:
    """Returns a folder beside ``final`` to work in; removes what killed installs left."""
    for stale in final.parent.glob("*.building"):
        server_cache.end_processes(stale)
        disk.remove_folder(stale)
    return final.with_name(final.name + ".building")


def _fetch_packages(folder: Path, machine: Machine) -> tuple[dict[str, Path], dict[str, str]]:
    """Returns the packages' files and versions by name.

    Those of the lock are taken as they are, for their sha256 is known. If the mirror no longer
    has one of them, all are looked up in the signed index, so that they fit together.
    """
    disk.make_folder(folder)
    downloader = Downloader(mirrors.find_mirrors(), folder, mirrors.apt_proxies())
    pins = lock.read(machine.debian)
    if pins:
        try:
            return _fetch(pins, downloader), _versions(pins)
        except GoneError as gone:
            say(f"the mirror no longer has {gone}; looking up current versions")
    index = read_index(downloader, packages.SUITE, machine.debian, archive_keyring())
    found = resolve(index)
    try:
        return _fetch(found, downloader), _versions(found)
    except GoneError as gone:
        raise LauncherError(
            f"the mirror has no {gone}, which its own index names; run again in a few minutes"
        ) from None


def _fetch(found: Sequence[Package], downloader: Downloader) -> dict[str, Path]:
    disk.check_free(downloader.folder, downloader.missing_bytes(found) + _INSTALLED_BYTES)
    progress = Progress(
        f"downloading {len(found)} packages", sum(package.size for package in found)
    )
    files = downloader.fetch_all(found, progress)
    progress.finish()
    return files


def _versions(found: Sequence[Package]) -> dict[str, str]:
    return {package.name: package.version for package in found}


@contextlib.contextmanager
def _only_one(cache: Path) -> Iterator[None]:
    """Holds the cache's lock, which the system releases even when this process is killed."""
    with open(cache / "install.lock", "a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another bazelw is installing; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _remove_unused(cache: Path, used: set[Path]) -> None:
    """Removes installs of other launchers that nobody used lately, and downloads of no use."""
    for path in cache.glob("*/last-used"):
        if path.parent not in used and time.time() - path.stat().st_mtime > _UNUSED_AFTER:
            say(f"removing {path.parent}, unused for a month")
            shutil.rmtree(path.parent, ignore_errors=True)
    for path in [*cache.glob("packages/*"), *cache.glob("wheels/*")]:
        if path not in used:
            path.unlink()
