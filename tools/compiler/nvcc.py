"""CUDA's kernels as machine code, where a compiler for them is given.

TVM's own way to call one is a callback of its CUDA runtime, which only a machine with a GPU's
driver can load. Here its code generator is given a text of the right length in place of the
source, and that text in the finished object is then replaced by what nvcc made of the source.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tools.cli import UserError
from tools.compiler.device_source import edit_source

_FORMAT = b"cubin"
"""What TVM's runtime calls data that the driver loads as it is."""


class CudaCompiler:
    """Calls nvcc for the kernels that TVM generates.

    Args:
        nvcc: The program; None leaves the source in the library.
        architectures: Compute capabilities such as ``80``, which the fat binary has code for.
    """

    def __init__(self, nvcc: Path | None, architectures: Sequence[str]) -> None:
        self._nvcc = nvcc
        self._architectures = architectures
        self._binaries: dict[bytes, bytes] = {}

    @contextlib.contextmanager
    def capture_source(self) -> Iterator[None]:
        """Compiles what TVM generates in this context.

        Raises:
            UserError: nvcc is missing or fails.
        """
        if self._nvcc is None:
            yield
            return
        failures: list[UserError] = []

        def compile_source(source: str) -> str:
            try:
                return self._compile(source)
            except UserError as error:
                failures.append(error)
                raise

        try:
            with edit_source("cuda", compile_source):
                yield
        except Exception as error:
            # TVM hands a callback's error on as one of its own.
            raise (failures[0] if failures else error) from None

    def embed(self, objects: Mapping[str, bytes]) -> dict[str, bytes]:
        """Returns the objects with machine code for the texts that stand for it."""
        result = dict(objects)
        for name, contents in objects.items():
            for text, binary in self._binaries.items():
                contents = _replace(contents, text, binary)
            result[name] = contents
        return result

    def _compile(self, source: str) -> str:
        binary = _fat_binary(source, self._nvcc, self._architectures)
        digest = hashlib.sha256(binary).hexdigest()
        # One byte more than the binary: so much longer is the name of its format than that of
        # source, which is `cuda`.
        text = digest + "." * (len(binary) + 1 - len(digest))
        self._binaries[text.encode()] = binary
        return text


def _replace(contents: bytes, text: bytes, binary: bytes) -> bytes:
    """Replaces format and data of a serialized module, with lengths before both."""
    end = contents.find(_sized(text))
    if end < 0:
        return contents
    # The module's kind, its size, and its format; between that and the data is its table.
    heads = list(re.finditer(re.escape(_sized(b"cuda")) + b".{8}", contents[:end], re.DOTALL))
    start = next(h.end() for h in heads if contents.startswith(_sized(b"cuda"), h.end()))
    table = contents[start + len(_sized(b"cuda")) : end]
    module = _sized(_FORMAT) + table + _sized(binary)
    return contents[:start] + module + contents[start + len(module) :]


def _sized(data: bytes) -> bytes:
    return struct.pack("<Q", len(data)) + data


def _fat_binary(source: str, nvcc: Path, architectures: Sequence[str]) -> bytes:
    targets = [
        argument
        for name in architectures
        for argument in ("-gencode", f"arch=compute_{name},code=sm_{name}")
    ]
    with tempfile.TemporaryDirectory() as directory:
        Path(directory, "kernels.cu").write_text(source, encoding="utf-8")
        command = [str(nvcc.absolute()), "--fatbin", "-O3", *targets, "-o", "kernels", "kernels.cu"]
        try:
            result = subprocess.run(
                command, cwd=directory, capture_output=True, text=True, check=False
            )
        except OSError as error:
            raise UserError(
                f"--nvcc {nvcc}: cannot be run: {error.strerror}; expected NVIDIA's compiler"
            ) from error
        if result.returncode != 0:
            lines = result.stderr.strip().splitlines() or [f"exit status {result.returncode}"]
            reason = next((line for line in lines if "error" in line or "fatal" in line), lines[0])
            raise UserError(f"--nvcc {nvcc}: {reason}")
        return Path(directory, "kernels").read_bytes()
