"""A library as a shared library, for the machine's own CPU."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tools.cli import UserError


def shared_library_bytes(objects: Mapping[str, bytes], linker: Path) -> bytes:
    """Links ELF objects into a shared library.

    The runtime's functions stay undefined: they are found in the process that loads the library.
    Nothing of the machine is linked in, and the result has no build id and no debug information,
    so it depends on the objects and the linker alone.

    Args:
        objects: File name to contents.
        linker: A program that takes the arguments of ``ld.lld``.

    Raises:
        UserError: The linker is missing or fails.
    """
    with tempfile.TemporaryDirectory() as directory:
        for name, contents in objects.items():
            Path(directory, name).write_bytes(contents)
        command = [
            str(linker.absolute()),
            "-shared",
            "--build-id=none",
            "--strip-debug",
            "--hash-style=gnu",
            "-z",
            "noexecstack",
            "-o",
            "library.so",
            *sorted(objects),
        ]
        try:
            result = subprocess.run(
                command, cwd=directory, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise UserError(
                f"--linker {linker}: cannot be run: {error.strerror};"
                " expected a program that takes the arguments of ld.lld"
            ) from error
        if result.returncode != 0:
            reason = (result.stderr.strip() or f"exit status {result.returncode}").splitlines()[0]
            raise UserError(f"--linker {linker}: {reason}; expected an ELF linker like ld.lld")
        return Path(directory, "library.so").read_bytes()
