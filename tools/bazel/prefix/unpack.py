"""Unpacks Debian packages without dpkg, and wheels without pip."""

from __future__ import annotations

import io
import os
import re
import shutil
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import LauncherError

_AR_MAGIC = b"!<arch>\n"
_AR_HEADER = 60

_KEPT = re.compile(
    r"usr/(?:bin/bazel$"
    r"|libexec/[^/]+/bazel/"
    r"|share/(?:bazel|java)/"
    r"|lib/[^/]+/(?:bazel/|[^/]*\.so[-.0-9]*$))"
)
"""The parts of the packages that Bazel runs on: no documentation, licences or gconv tables."""


def unpack_deb(deb: Path, root: Path) -> None:
    """Unpacks what Bazel needs of a Debian package below ``root``.

    Modification times stay (Bazel compares those of its install base), symbolic links with an
    absolute target are made relative to ``root``.

    Raises:
        LauncherError: The file is no Debian package, or compressed in an unknown way.
    """
    with _data_tar(deb) as archive:
        for member in archive:
            name = member.name.removeprefix("./")
            if member.isdir() or not _KEPT.match(name) or ".." in name.split("/"):
                continue
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if member.issym():
                target = member.linkname
                if target.startswith("/"):
                    target = os.path.relpath(f"{root}{target}", path.parent)
                path.unlink(missing_ok=True)
                path.symlink_to(target)
            elif member.islnk():
                shutil.copy2(root / member.linkname.removeprefix("./"), path)
            elif content := archive.extractfile(member):
                with open(path, "wb") as file:
                    shutil.copyfileobj(content, file)
                path.chmod(member.mode | stat.S_IWUSR)
                os.utime(path, (member.mtime, member.mtime))


def unpack_wheel(wheel: Path, prefix: str, target: Path) -> None:
    """Unpacks the files of a wheel whose names start with ``prefix`` (and lose it) to ``target``.

    Raises:
        LauncherError: The wheel has no such file.
    """
    with zipfile.ZipFile(wheel) as archive:
        members = [info for info in archive.infolist() if info.filename.startswith(prefix)]
        if not members:
            raise LauncherError(f"{wheel.name} holds no {prefix}: not the locked wheel")
        for info in members:
            path = target / info.filename.removeprefix(prefix)
            if info.is_dir() or ".." in path.parts:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as content, open(path, "wb") as file:
                shutil.copyfileobj(content, file)
            path.chmod(0o755 if info.external_attr >> 16 & 0o111 else 0o644)


def _data_tar(deb: Path) -> tarfile.TarFile:
    for name, data in _ar_members(deb):
        if name == "data.tar":
            return tarfile.open(fileobj=io.BytesIO(data))
        if name in ("data.tar.xz", "data.tar.gz", "data.tar.bz2"):
            return tarfile.open(fileobj=io.BytesIO(data), mode="r:" + name.rsplit(".", 1)[1])
        if name == "data.tar.zst":
            return tarfile.open(fileobj=io.BytesIO(_unzstd(data)))
    raise LauncherError(f"{deb.name} is no Debian package: it has no data.tar of a known kind")


def _ar_members(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yields the (name, content) pairs of a Unix ``ar`` archive."""
    with open(path, "rb") as file:
        if file.read(len(_AR_MAGIC)) != _AR_MAGIC:
            raise LauncherError(f"{path.name} is no Debian package: not an ar archive")
        while len(header := file.read(_AR_HEADER)) == _AR_HEADER:
            size = int(header[48:58])
            yield header[:16].decode("ascii").strip().rstrip("/"), file.read(size)
            file.seek(size & 1, os.SEEK_CUR)


def _unzstd(data: bytes) -> bytes:
    try:
        from compression import zstd
    except ImportError:
        pass
    else:
        return zstd.decompress(data)
    program = shutil.which("zstd")
    if program is None:
        raise LauncherError("a package is compressed with zstd; install the zstd program")
    return subprocess.run([program, "-dc"], input=data, capture_output=True, check=True).stdout
