"""A library as one linked file: what a runtime loads, in place of objects that an app links."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.cli import UserError

_ELF = ("-shared", "--build-id=none", "--strip-debug", "--hash-style=gnu", "-z", "noexecstack")
_MACH_O = (
    "-shared",
    "-nostdlib",
    "-Wl,-undefined,dynamic_lookup",
    "-Wl,-install_name,@rpath/library.dylib",
    "-Wl,-S",
)
_WASM = (
    "-O3",
    "--no-entry",
    "-sWASM_BIGINT=1",
    "-sERROR_ON_UNDEFINED_SYMBOLS=0",
    "-sSTANDALONE_WASM=1",
    "-sALLOW_MEMORY_GROWTH=1",
    "-sTOTAL_MEMORY=160MB",
)

OPTIONS = {"dylib": _MACH_O, "so": _ELF, "wasm": _WASM}
"""Form of a library to the options of its linker; those for ``wasm`` are upstream's for emcc."""

TAKES = {
    "dylib": "takes the arguments of clang for macOS",
    "so": "takes the arguments of ld.lld",
    "wasm": "takes the arguments of emcc",
}
"""Form of a library to what its linker is."""


def linked_bytes(
    objects: Mapping[str, bytes],
    form: str,
    linker: Path,
    *,
    options: Sequence[str] | None = None,
    inputs: Sequence[Path] = (),
) -> bytes:
    """Links objects.

    The runtime's functions stay undefined in a shared library: they are found in the process that
    loads it. Nothing of the machine is linked in, and the result has no build id and no debug
    information, so it depends on the objects, the linker and its inputs alone.

    Args:
        objects: File name to contents.
        form: A key of `OPTIONS`.
        linker: A program as `TAKES` says.
        options: In place of those of the form.
        inputs: Further files to link, before the objects: the runtime of a ``.wasm``.

    Raises:
        UserError: The linker is missing or fails.
    """
    output = f"library.{form}"
    with tempfile.TemporaryDirectory() as directory:
        for name, contents in objects.items():
            Path(directory, name).write_bytes(contents)
        command = [
            str(linker.absolute()),
            *(OPTIONS[form] if options is None else options),
            "-o",
            output,
            *[str(path.absolute()) for path in inputs],
            *sorted(objects),
        ]
        try:
            result = subprocess.run(
                command, cwd=directory, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise UserError(
                f"--linker {linker}: cannot be run: {error.strerror};"
                f" expected a program that {TAKES[form]}"
            ) from error
        if result.returncode != 0:
            reason = (result.stderr.strip() or f"exit status {result.returncode}").splitlines()[0]
            raise UserError(f"--linker {linker}: {reason}; expected a linker that {TAKES[form]}")
        return Path(directory, output).read_bytes()
