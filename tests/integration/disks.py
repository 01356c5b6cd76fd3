"""Disks that are full, and folders that cannot be written, whoever runs the tests."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import pathlib
import resource
from collections.abc import Iterable, Iterator

from tests.integration import processes
from tests.integration.workspace import Workspace

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000  # <sched.h>
_MS_REC, _MS_PRIVATE, _MNT_DETACH = 0x4000, 0x40000, 2  # <sys/mount.h>
_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE = 24, 1  # <sys/prctl.h>, <linux/capability.h>

_libc = ctypes.CDLL(None, use_errno=True)


def obey_modes() -> None:
    """Makes root obey the modes of files, as every other user does, in what starts from now on."""
    if os.getuid() == 0:
        _check(_libc.prctl(_PR_CAPBSET_DROP, _CAP_DAC_OVERRIDE, 0, 0, 0))


@contextlib.contextmanager
def read_only(folder: pathlib.Path) -> Iterator[None]:
    """Nothing can be made in the folder meanwhile; see `obey_modes`."""
    folder.chmod(0o555)
    try:
        yield
    finally:
        folder.chmod(0o755)


class Disk:
    """A folder on a file system of its own, in memory, until the context ends.

    Attributes:
        folder: The folder.
    """

    def __init__(self, folder: pathlib.Path, nbytes: int) -> None:
        self.folder = folder
        folder.mkdir()
        _check(_libc.mount(b"disk", bytes(folder), b"tmpfs", 0, b"size=%d" % nbytes))

    def __enter__(self) -> Disk:
        return self

    def __exit__(self, *error: object) -> None:
        _check(_libc.umount2(bytes(self.folder), _MNT_DETACH))

    @contextlib.contextmanager
    def full(self, leave: int, workspace: Workspace) -> Iterator[None]:
        """Leaves this number of bytes on the disk."""
        filler = self.folder / "filler"
        with open(filler, "wb") as file:
            system = os.statvfs(file.fileno())
            os.posix_fallocate(file.fileno(), 0, system.f_bavail * system.f_frsize - leave)
        try:
            yield
        finally:
            filler.unlink()


class NoDisk(Disk):
    """In the place of a `Disk` where the system lets nobody mount one.

    It is full in that no process can write a file longer than what is left.
    """

    def __init__(self, folder: pathlib.Path, nbytes: int) -> None:
        self.folder = folder
        folder.mkdir()

    def __exit__(self, *error: object) -> None:
        """Nothing: it ends with the folder around it."""

    @contextlib.contextmanager
    def full(self, leave: int, workspace: Workspace) -> Iterator[None]:
        """Leaves this number of bytes to every file of the workspace's processes."""
        _limit({os.getpid(), *processes.of_workspace(workspace)}, leave)
        try:
            yield
        finally:
            _limit({os.getpid(), *processes.of_workspace(workspace)}, None)


@functools.cache
def disk_type() -> type[Disk]:
    """`Disk` where file systems can be mounted, by root or in a namespace of the user's."""
    user, group = os.getuid(), os.getgid()
    if _libc.unshare(_CLONE_NEWNS) != 0:
        if _libc.unshare(_CLONE_NEWNS | _CLONE_NEWUSER) != 0:
            print("no file system can be mounted here: a limit of files stands in for a full disk")
            return NoDisk
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _check(_libc.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None))
    return Disk


def _limit(pids: Iterable[int], nbytes: int | None) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard if nbytes is None else nbytes, hard))


def _check(status: int) -> None:
    if status != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
