"""Reads the signed index of a Debian suite, and finds current versions of packages in it."""

from __future__ import annotations

import lzma
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .download import Downloader, GoneError, Item, Package
from .errors import LauncherError
from .prefix import packages
from .progress import Progress
from .signature import signed_text


@dataclass(frozen=True)
class Entry(Package):
    """A package as the index describes it.

    Attributes:
        library: Whether it is a shared library for one architecture.
        depends: Names it depends on, the first of each group of alternatives.
        provides: Further names that it answers to.
    """

    library: bool
    depends: tuple[str, ...]
    provides: tuple[str, ...]

    def package(self) -> Package:
        """Returns the package without what only the index knows of it."""
        return Package(
            name=self.name,
            path=self.path,
            size=self.size,
            sha256=self.sha256,
            version=self.version,
        )


def read_index(
    downloader: Downloader, suite: str, architecture: str, keyring: Path
) -> dict[str, Entry]:
    """Returns the packages of ``main`` by name, from the first mirror with a good signature.

    Args:
        downloader: Knows the mirrors.
        suite: E.g. ``forky``.
        architecture: Debian's name, e.g. ``amd64``.
        keyring: Public keys, one of which must have signed the index.

    Raises:
        LauncherError: No mirror has a signed index of the suite for the architecture.
    """
    errors = []
    for mirror in downloader.mirrors:
        path = f"dists/{suite}/InRelease"
        try:
            release = downloader.fetch_unchecked(mirror, path)
            text = signed_text(release, keyring, f"{mirror}/{path}")
            return _read_packages(downloader, text, suite, architecture)
        except GoneError:
            errors.append(LauncherError(f"{mirror} is no mirror of Debian's {suite}: no {path}"))
        except LauncherError as error:
            errors.append(error)
    raise errors[0]


def resolve(index: dict[str, Entry]) -> list[Entry]:
    """Returns what the private Bazel is made of: `packages.NAMES` and the libraries they need.

    Raises:
        LauncherError: The index lacks a package, or has a Bazel that this launcher does not know.
    """
    found = with_libraries(index, packages.NAMES, packages.UNUSED)
    version = next(entry.version for entry in found if entry.name == "bazel-bootstrap")
    if not version.startswith(packages.BAZEL + "+"):
        raise LauncherError(
            f"Debian has Bazel {version} now and this launcher installs {packages.BAZEL}: take a"
            " newer rules_mlc, put bazelisk on PATH, or set MLC_BAZEL to a Bazel 7.4 or newer"
        )
    return found


def with_libraries(
    index: dict[str, Entry], names: Iterable[str], unused: re.Pattern[str]
) -> list[Entry]:
    """Returns packages and the shared libraries that they need, sorted by name.

    Names of libraries change with their binary interface, so they are not listed but followed.

    Args:
        index: What `read_index` returns.
        names: The packages.
        unused: Matches the names of libraries that are not followed.

    Raises:
        LauncherError: The index lacks a package.
    """
    providers = {name: package for package in index.values() for name in package.provides}
    found: dict[str, Entry] = {}
    queue = list(names)
    while queue:
        name = queue.pop()
        package = index.get(name) or providers.get(name)
        if package is None:
            raise LauncherError(f"the Debian index has no package {name}")
        if package.name in found:
            continue
        found[package.name] = package
        needed = [index.get(name) or providers.get(name) for name in package.depends]
        queue += [
            entry.name
            for entry in needed
            if entry is not None and entry.library and not unused.match(entry.name)
        ]
    return [found[name] for name in sorted(found)]


def _read_packages(
    downloader: Downloader, release: str, suite: str, architecture: str
) -> dict[str, Entry]:
    folder = f"dists/{suite}/"
    name = f"main/binary-{architecture}/Packages.xz"
    digests = release.partition("\nSHA256:\n")[2]
    match = re.search(rf"^ ([0-9a-f]{{64}}) +([0-9]+) {re.escape(name)}$", digests, re.MULTILINE)
    if match is None:
        raise LauncherError(f"{suite} has no packages for {architecture}")
    sha256, size = match.group(1), int(match.group(2))
    by_hash = f"{name.rpartition('/')[0]}/by-hash/SHA256/{sha256}"
    progress = Progress("index of packages", size)
    try:
        path = downloader.fetch(Item("Packages.xz", folder + by_hash, size, sha256), progress)
    except GoneError:
        path = downloader.fetch(Item("Packages.xz", folder + name, size, sha256), progress)
    progress.finish()
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return {entry.name: entry for entry in map(_entry, _stanzas(lines))}


def _stanzas(lines: Iterable[str]) -> Iterator[dict[str, str]]:
    fields: dict[str, str] = {}
    for line in lines:
        if line == "\n":
            yield fields
            fields = {}
        elif not line.startswith((" ", "\t")):
            name, _, value = line.partition(":")
            fields[name] = value.strip()
    if fields:
        yield fields


def _entry(fields: dict[str, str]) -> Entry:
    return Entry(
        name=fields["Package"],
        version=fields["Version"],
        path=fields["Filename"],
        size=int(fields["Size"]),
        sha256=fields["SHA256"],
        library=fields.get("Section") == "libs" and fields["Architecture"] != "all",
        depends=_names(fields.get("Depends", "")) + _names(fields.get("Pre-Depends", "")),
        provides=_names(fields.get("Provides", "")),
    )


def _names(relations: str) -> tuple[str, ...]:
    """Returns the names of ``a (>= 1) | b, c:any``: a and c."""
    return tuple(re.findall(r"(?:^|,)\s*([a-z0-9][a-z0-9.+-]+)", relations))
