"""Finds the Debian mirrors, and the proxy, that the machine's own apt is configured with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .errors import LauncherError

APT = Path("/etc/apt")
"""apt's configuration folder, with ``sources.list`` and ``sources.list.d``."""

_SUITE = re.compile(
    r"(?:old)*stable|testing|unstable|sid|bullseye|bookworm|trixie|forky|duke"
    r"|[a-z]+-(?:updates|backports|proposed-updates)"
)
_SWITCHED_OFF = {"no", "false", "without", "off", "disable", "0"}


@dataclass(frozen=True)
class _Entry:
    """A source of binary packages, as apt's files have it."""

    uris: list[str]
    suites: list[str]
    components: list[str]


def find_mirrors(apt: Path = APT) -> list[str]:
    """Returns the URLs of Debian mirrors, without a trailing slash, the most likely first.

    ``MLC_DEBIAN_MIRROR`` (URLs separated by blanks) is used instead of apt's files where set. Of
    those, the entries for a Debian suite's ``main`` count, but not the security archive, which
    has no whole suites. That a server is named here lends it no trust: what it sends is used only
    after its signature or sha256 was checked.

    Args:
        apt: apt's configuration folder.

    Raises:
        LauncherError: apt knows no Debian mirror.
    """
    uris = os.environ.get("MLC_DEBIAN_MIRROR", "").split()
    if not uris:
        uris = [uri for entry in _entries(apt) if _is_debian(entry) for uri in entry.uris]
        uris = [expanded for uri in uris for expanded in _expand(uri)]
        uris = [uri for uri in uris if "security" not in uri]
    mirrors = [uri.rstrip("/") for uri in uris if uri.startswith(("http://", "https://"))]
    if not mirrors:
        raise LauncherError(
            f"no Debian mirror known: {apt} names none; set MLC_DEBIAN_MIRROR to the URL of one,"
            " put bazelisk on PATH, or set MLC_BAZEL to a Bazel 7.4 or newer"
        )
    return sorted(dict.fromkeys(mirrors), key=lambda mirror: not mirror.endswith("/debian"))


def apt_proxies() -> dict[str, str]:
    """Returns the proxies that apt uses, by URL scheme; the environment's are not repeated."""
    proxies = {}
    program = shutil.which("apt-config")
    for scheme in ("http", "https"):
        if program is None or f"{scheme}_proxy" in os.environ:
            continue
        done = subprocess.run(
            [program, "dump", "--format", "%v%n", f"Acquire::{scheme}::Proxy"],
            capture_output=True,
            text=True,
        )
        value = done.stdout.strip()
        if done.returncode == 0 and value.startswith(("http://", "https://")):
            proxies[scheme] = value
    return proxies


def _is_debian(entry: _Entry) -> bool:
    return "main" in entry.components and any(map(_SUITE.fullmatch, entry.suites))


def _entries(apt: Path) -> Iterator[_Entry]:
    """Yields the entries of all files that apt itself would read."""
    folder = apt / "sources.list.d"
    for path in [apt / "sources.list", *sorted(folder.glob("*.list"))]:
        yield from _one_line_entries(_read(path))
    for path in sorted(folder.glob("*.sources")):
        yield from _deb822_entries(_read(path))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _one_line_entries(text: str) -> Iterator[_Entry]:
    """Yields the entries of lines like ``deb [options] uri suite component...``."""
    for line in text.splitlines():
        words = re.sub(r"\[[^]]*\]", " ", line.split("#", 1)[0]).split()
        if len(words) >= 4 and words[0] == "deb":
            yield _Entry([words[1]], [words[2]], words[3:])


def _deb822_entries(text: str) -> Iterator[_Entry]:
    """Yields the entries of a ``.sources`` file: stanzas of fields, which may go on indented."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        fields: dict[str, list[str]] = {}
        name = ""
        for line in stanza.splitlines():
            if not line.startswith((" ", "\t")):
                name, _, line = line.partition(":")
                name = name.lower()
            fields.setdefault(name, []).extend(line.split())
        enabled = _SWITCHED_OFF.isdisjoint(word.lower() for word in fields.get("enabled", []))
        if enabled and "deb" in fields.get("types", []):
            yield _Entry(
                fields.get("uris", []), fields.get("suites", []), fields.get("components", [])
            )


def _expand(uri: str) -> list[str]:
    """Returns the URIs that one stands for: ``mirror+file:`` names a file with one a line."""
    if not uri.startswith("mirror+file:"):
        return [uri]
    text = _read(Path("/" + uri.removeprefix("mirror+file:").lstrip("/")))
    return [line.split()[0] for line in text.splitlines() if line.split("#", 1)[0].strip()]
