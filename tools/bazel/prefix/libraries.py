"""Makes the private Bazel run on the libraries beside it, not on the older ones of the machine."""

from __future__ import annotations

import os
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import LauncherError
from ..machine import Machine

_ELF = b"\x7fELF"


def use_own(build: Path, final: Path, patchelf: Path, machine: Machine) -> None:
    """Gives every program in ``build`` the loader and the libraries it will have in ``final``.

    Args:
        build: The folder that is being put together.
        final: Absolute path that it will have.
        patchelf: The program patchelf.
        machine: The machine the programs are for.

    Raises:
        LauncherError: The loader is missing, or patchelf failed.
    """
    folder = _folder(machine)
    loader = folder / machine.loader
    if not (build / loader).exists():
        raise LauncherError(f"the package libc6 holds no {loader}")

    def patch(path: Path, *further: str) -> None:
        if not _is_elf(path):
            return
        program = [] if ".so" in path.name else ["--set-interpreter", final / loader]
        search = ":".join([*further, str(final / folder)])
        command = [patchelf, *program, "--force-rpath", "--set-rpath", search, path]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace")
        if done.returncode:
            raise LauncherError(f"patchelf failed on {path}: {done.stderr.strip()}")

    for path in _programs(build, machine):
        patch(path)
    patch(build / "jre/bin/java", "$ORIGIN/../lib")
    patch(build / "jre/lib/jspawnhelper", "$ORIGIN")
    # zstd-jni (compact execution log, remote compression) is looked up in the install base alone.
    for path in sorted((build / folder).glob("libzstd-jni.so.*"))[-1:]:
        patch(path)
        base = build / "usr/share/bazel"
        (base / "libzstd-jni.so").symlink_to(os.path.relpath(path, base))


def check_complete(build: Path, machine: Machine) -> None:
    """Checks that every library is there that Bazel's programs, and its server, need.

    Debian's dependency lists are not complete, and a missing library would show only as a server
    that does not start.

    Raises:
        LauncherError: One is missing.
    """
    folder = build / _folder(machine)
    with tempfile.TemporaryDirectory() as temporary:
        for path in [*_programs(build, machine), *_server_libraries(build, Path(temporary))]:
            if not _is_elf(path):
                continue
            command = [folder / machine.loader, "--library-path", folder, "--list", path]
            done = subprocess.run(command, capture_output=True, text=True, errors="replace")
            missing = [line.split()[0] for line in done.stdout.splitlines() if "not found" in line]
            if missing:
                raise LauncherError(
                    f"the Debian packages are incomplete: {path.name} needs {', '.join(missing)};"
                    " take a newer rules_mlc, or set MLC_BAZEL to a Bazel 7.4 or newer"
                )


def _folder(machine: Machine) -> Path:
    return Path("usr/lib", machine.triplet)


def _programs(build: Path, machine: Machine) -> list[Path]:
    helpers = build / "usr/libexec" / machine.triplet / "bazel"
    return [build / "usr/bin/bazel", *sorted(helpers.glob("*"))]


def _server_libraries(build: Path, temporary: Path) -> Iterator[Path]:
    """Yields copies of the native libraries inside the server's jar."""
    for jar in (build / "usr/share/bazel").glob("*-server.jar"):
        with zipfile.ZipFile(jar) as archive:
            for name in archive.namelist():
                if name.endswith(".so"):
                    yield Path(archive.extract(name, temporary))


def _is_elf(path: Path) -> bool:
    if not path.is_file():
        return False
    with open(path, "rb") as file:
        return file.read(len(_ELF)) == _ELF
