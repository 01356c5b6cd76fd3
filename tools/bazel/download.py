"""Downloads of files whose size and sha256 are known: checked, resumable, with progress."""

from __future__ import annotations

import concurrent.futures
import hashlib
import http
import http.client
import os
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import disk
from .errors import LauncherError

ATTEMPTS = 4
"""Attempts for a file at one mirror; the waits between them are 0.5, 1 and 2 seconds."""

TIMEOUT = 15.0
"""Seconds without a byte after which an attempt has failed."""

_CHUNK = 1 << 16
_CONNECTIONS = 4


class GoneError(Exception):
    """No mirror has a file; ``str(e)`` is its path."""


@dataclass(frozen=True)
class Item:
    """A file of a mirror.

    Attributes:
        name: What the user is shown.
        path: Relative to the mirror's root, e.g. ``pool/main/z/zlib/zlib1g_1.3.2_amd64.deb``.
        size: Bytes.
        sha256: Hexadecimal digest.
    """

    name: str
    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Package(Item):
    """A Debian package: its .deb, and its version as Debian writes it, e.g. ``1:1.3.2-1``."""

    version: str


class Downloader:
    """Keeps downloaded files in a folder, under their sha256; half ones beside them as ``.part``.

    A later download, of the same or of another process, uses the former and resumes the latter.
    Only one process may use a folder at a time.
    """

    def __init__(
        self, mirrors: Sequence[str], folder: Path, proxies: Mapping[str, str] | None = None
    ) -> None:
        """Creates a downloader.

        Args:
            mirrors: URLs, tried in this order.
            folder: Where files are kept; must exist.
            proxies: Proxies by URL scheme, besides those of the environment.
        """
        self.mirrors = list(mirrors)
        self.folder = folder
        proxy = urllib.request.ProxyHandler({**urllib.request.getproxies(), **(proxies or {})})
        self._opener = urllib.request.build_opener(proxy)

    def missing_bytes(self, items: Sequence[Item]) -> int:
        """Returns how many bytes of the items are yet to be downloaded."""
        return sum(item.size - self._present_bytes(item) for item in items)

    def fetch_all(
        self, items: Sequence[Item], progress: Callable[[str, int], None]
    ) -> dict[str, Path]:
        """Downloads the items, a few at a time, and returns their files by name.

        Args:
            items: What to download.
            progress: Called with an item's name and a number of bytes of it that are here now;
                negative where bytes turned out to be wrong.

        Raises:
            GoneError: No mirror has one of the files.
            LauncherError: No mirror answers, all have wrong bytes, or the disk is full.
        """
        stop = threading.Event()
        pool = concurrent.futures.ThreadPoolExecutor(_CONNECTIONS)
        futures = {pool.submit(self._fetch, item, progress, stop): item.name for item in items}
        try:
            for future in concurrent.futures.as_completed(futures):
                future.result()
        finally:
            stop.set()
            pool.shutdown(cancel_futures=True)
        return {name: future.result() for future, name in futures.items()}

    def fetch(self, item: Item, progress: Callable[[str, int], None]) -> Path:
        """Downloads one item and returns its file (see `fetch_all`)."""
        return self._fetch(item, progress, threading.Event())

    def _fetch(
        self, item: Item, progress: Callable[[str, int], None], stop: threading.Event
    ) -> Path:
        final = self.folder / item.sha256
        if final.is_file() and _sha256(final) == item.sha256:
            progress(item.name, item.size)
            return final
        errors = []
        for mirror in self.mirrors:
            try:
                return self._fetch_from(mirror, item, final, progress, stop)
            except GoneError:
                continue
            except LauncherError as error:
                errors.append(error)
        raise errors[0] if errors else GoneError(item.path)

    def fetch_unchecked(self, mirror: str, path: str) -> bytes:
        """Returns a file of a mirror whose size and digest are not known.

        Raises:
            GoneError: The mirror does not have it.
            LauncherError: The mirror does not answer.
        """
        url = _url(mirror, path)
        for attempt in range(ATTEMPTS):
            _wait(attempt)
            try:
                with self._open(url) as response:
                    return response.read()
            except (OSError, http.client.HTTPException) as error:
                failure = _unreachable(url, error)
        raise failure

    def _present_bytes(self, item: Item) -> int:
        final = self.folder / item.sha256
        for path in (final, _part(final)):
            if path.is_file():
                return min(path.stat().st_size, item.size)
        return 0

    def _fetch_from(
        self,
        mirror: str,
        item: Item,
        final: Path,
        progress: Callable[[str, int], None],
        stop: threading.Event,
    ) -> Path:
        url = _url(mirror, item.path)
        part = _part(final)
        counted = 0
        error: LauncherError | None = None

        def count(size: int) -> None:
            nonlocal counted
            progress(item.name, size - counted)
            counted = size

        for attempt in range(ATTEMPTS):
            _wait(attempt)
            have = part.stat().st_size if part.exists() else 0
            count(have)
            try:
                if have < item.size:
                    have = self._append(url, part, have, item.size, count, stop)
            except (OSError, http.client.HTTPException) as failure:
                error = _unreachable(url, failure)
            else:
                if have < item.size:
                    ended = OSError(f"ended after {have} of {item.size} bytes")
                    error = _unreachable(url, ended)
                elif _sha256(part) == item.sha256:
                    os.replace(part, final)
                    return final
                else:
                    error = LauncherError(f"sha256 mismatch: {url} is not {item.sha256}")
                    part.unlink()
        count(0)
        raise error

    def _append(
        self,
        url: str,
        part: Path,
        have: int,
        size: int,
        count: Callable[[int], None],
        stop: threading.Event,
    ) -> int:
        """Appends to ``part`` what follows its ``have`` bytes; returns its new size."""
        with self._open(url, offset=have) as response:
            if response.status != http.HTTPStatus.PARTIAL_CONTENT:
                have = 0
            with disk.full_is_clear(part), open(part, "ab" if have else "wb") as file:
                while have < size and not stop.is_set():
                    chunk = response.read1(min(_CHUNK, size - have))
                    if not chunk:
                        break
                    file.write(chunk)
                    file.flush()  # so that it is there for the next call if this one is killed
                    have += len(chunk)
                    count(have)
        return have

    def _open(self, url: str, offset: int = 0) -> http.client.HTTPResponse:
        request = urllib.request.Request(url)
        if offset:
            request.add_header("Range", f"bytes={offset}-")
        try:
            return self._opener.open(request, timeout=TIMEOUT)
        except urllib.error.HTTPError as error:
            if error.code in (http.HTTPStatus.NOT_FOUND, http.HTTPStatus.GONE):
                raise GoneError(url) from None
            raise


def _url(mirror: str, path: str) -> str:
    return f"{mirror}/{urllib.parse.quote(path)}"


def _part(final: Path) -> Path:
    return final.with_name(final.name + ".part")


def _unreachable(url: str, error: Exception) -> LauncherError:
    kept = "what was downloaded is kept: run again to go on"
    if isinstance(error, urllib.error.HTTPError):
        return LauncherError(
            f"refused: {url}: HTTP {error.code} {error.reason}, by the mirror or a proxy; {kept},"
            " or set MLC_DEBIAN_MIRROR to another mirror"
        )
    reason = getattr(error, "reason", "") or error
    return LauncherError(f"no network: {url}: {str(reason) or type(error).__name__}; {kept}")


def _wait(attempt: int) -> None:
    if attempt:
        time.sleep(0.25 * 2**attempt)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
