"""A file that is being downloaded: what is there of it, and the digest of that."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
from pathlib import Path
from types import TracebackType

from tools.cli import UserError, describe_os_error

SHA256_ATTRIBUTE = "user.rules_mlc.sha256"
"""The extended attribute of a finished file that has its sha256, 32 bytes."""

_CHUNK = 1 << 20  # bytes
_FULL = (errno.ENOSPC, errno.EDQUOT)


class Partial:
    """The first bytes of a file, kept on disk so that a later run goes on from there.

    One process at a time has it; others wait. Every byte is in the file as soon as `append`
    returns, so that one who is killed leaves what it had.

    Attributes:
        path: The file.
        size: How many bytes are there.
    """

    def __init__(self, path: Path) -> None:
        """Opens the file, creates it where missing, and reads what is there.

        Raises:
            UserError: The file cannot be created or read.
        """
        self.path = path
        self.size = 0
        self._sha256 = hashlib.sha256()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = _open_locked(path)
            nbytes = os.fstat(self._fd).st_size
            while self.size < nbytes and (chunk := os.read(self._fd, _CHUNK)):
                self._count(chunk)
        except OSError as error:
            raise _failure(path, error) from None

    def __enter__(self) -> Partial:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Keeps the file for a later run, unless nothing is in it."""
        if not self.size:
            self.path.unlink(missing_ok=True)
        os.close(self._fd)

    @property
    def sha256(self) -> str:
        """The digest of what is there."""
        return self._sha256.hexdigest()

    def check_room(self, nbytes: int) -> None:
        """Checks that the disk has room for what a file of this size lacks.

        Raises:
            UserError: It has not.
        """
        missing, free = nbytes - self.size, shutil.disk_usage(self.path.parent).free
        if free < missing:
            raise UserError(
                f"{self.path}: the disk is full: {free / 1e6:.1f} MB are free, "
                f"{missing / 1e6:.1f} MB are needed; free some space and run again"
            )

    def append(self, data: bytes) -> None:
        """Writes the next bytes.

        Raises:
            UserError: The disk is full, or the file cannot be written. Of a full disk a little is
                given back, without which nobody else could even say so.
        """
        view = memoryview(data)
        try:
            while view:
                count = os.write(self._fd, view)
                self._count(view[:count])
                view = view[count:]
        except OSError as error:
            if error.errno in _FULL:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._fd, max(0, self.size - _CHUNK))
            raise _failure(self.path, error) from None

    def clear(self) -> None:
        """Forgets every byte.

        Raises:
            UserError: The file cannot be written.
        """
        if not self.size:
            return
        try:
            os.ftruncate(self._fd, 0)
            os.lseek(self._fd, 0, os.SEEK_SET)
        except OSError as error:
            raise _failure(self.path, error) from None
        self.size = 0
        self._sha256 = hashlib.sha256()

    def become(self, output: Path) -> None:
        """Moves the file to ``output``, which never is there in part.

        Raises:
            UserError: The disk is full, or ``output`` cannot be written.
        """
        temporary = output.with_name(f".{output.name[:100]}.{secrets.token_hex(6)}.tmp")
        try:
            output.parent.mkdir(parents=True, exist_ok=True)
            self._record_sha256(self.path)
            try:
                os.replace(self.path, output)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                shutil.copyfile(self.path, temporary)
                self._record_sha256(temporary)
                os.replace(temporary, output)
                self.path.unlink()
        except OSError as error:
            raise _failure(output, error) from None
        finally:
            temporary.unlink(missing_ok=True)

    def _count(self, data: bytes | memoryview) -> None:
        self._sha256.update(data)
        self.size += len(data)

    def _record_sha256(self, path: Path) -> None:
        """Sets `SHA256_ATTRIBUTE`, where system and file system have such attributes."""
        if hasattr(os, "setxattr"):
            with contextlib.suppress(OSError):
                os.setxattr(path, SHA256_ATTRIBUTE, self._sha256.digest())


def _open_locked(path: Path) -> int:
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        fcntl.flock(fd, fcntl.LOCK_EX)
        try:
            if os.path.samestat(os.fstat(fd), os.stat(path)):
                return fd
        except FileNotFoundError:
            pass
        os.close(fd)  # the process that was waited for has finished the file and moved it away


def _failure(path: Path, error: OSError) -> UserError:
    if error.errno in _FULL:
        return UserError(f"{path}: the disk is full; free some space and run again")
    reason = error.strerror or describe_os_error(error)
    return UserError(f"{path}: {reason}; expected a place that can be written")
