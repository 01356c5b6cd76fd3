"""From a compile key to the files of a library."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import tvm
import tvm_ffi

from tools import cli, config
from tools.cli import UserError
from tools.compiler import log
from tools.compiler.build import BuiltLibrary, build_library, symbol_prefix
from tools.compiler.link import TAKES, linked_bytes
from tools.compiler.progress import Progress
from tools.config import CompileKey
from tools.objects_tar import tar_bytes

SYMBOL_SUFFIX = "__tvm_ffi__library_bin"
"""Name of a library's data; a property of the pinned version of TVM."""

_DEVICE_CODE = {
    "cuda": "cuda-source",
    "llvm": "native",
    "metal": "metal-source",
    "opencl": "opencl-source",
    "webgpu": "wgsl-source",
}


def compile_library(
    key: CompileKey,
    library: Path,
    metadata: Path | None,
    log_file: Path,
    *,
    linker: Path | None = None,
    linker_options: Sequence[str] | None = None,
    linker_inputs: Sequence[Path] = (),
    nvcc: Path | None = None,
    log_name: str | None = None,
    verbose: bool = False,
) -> None:
    """Compiles and writes the files, each whole or not at all.

    Args:
        key: What to compile.
        library: ``.tar`` for the objects of a system library; ``.so``, ``.dylib`` or ``.wasm`` for
            a linked one, where the device has such.
        metadata: Where the metadata goes; None for nowhere.
        log_file: Where the log goes; after a failure inside TVM it has the details.
        linker: A program as `link.TAKES` says; needed for all but ``.tar``.
        linker_options: In place of `link.OPTIONS`.
        linker_inputs: Further files to link: the runtime of a ``.wasm``.
        nvcc: NVIDIA's compiler, for machine code in a CUDA library; it has source without.
        log_name: What messages call the log, if not by its path.
        verbose: Whether the time of each stage goes to stderr.

    Raises:
        UserError: The request cannot be fulfilled, or TVM failed.
    """
    device = config.device(key.device)
    _check_request(device, library, linker, nvcc)
    form = library.suffix.removeprefix(".")
    progress = Progress(verbose)
    try:
        # WebAssembly has no shared libraries: what is linked is the app, with the runtime.
        is_system_library = form in ("tar", "wasm")
        built = build_library(key, system_library=is_system_library, progress=progress, nvcc=nvcc)
        if form == "tar":
            contents = tar_bytes(built.objects)
        else:
            progress.stage("link")
            contents = linked_bytes(
                built.objects, form, linker, options=linker_options, inputs=linker_inputs
            )
    except UserError:
        raise
    except Exception as error:
        given = {"--linker": linker, "--nvcc": nvcc}
        programs = [option for option, program in given.items() if program is not None]
        details = traceback.format_exc()
        cli.write_text(log_file, log.failure_text(key, form, programs, progress.where(), details))
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(
            f"{key.model_lib}: TVM failed in {progress.where()}: {reason[-1]};"
            f" details in {log_name or log_file}"
        ) from error
    progress.finish()
    description = _describe_library(key, device, form, built, nvcc is not None)
    cli.write_bytes(library, contents)
    if metadata is not None:
        cli.write_json(metadata, description, sort_keys=False)
    cli.write_text(log_file, log.success_text(key, description, len(contents)))


def versions() -> dict[str, str]:
    """Returns the versions of the packages that decide a library's bytes."""
    return {"tvm": tvm.__version__, "tvm_ffi": tvm_ffi.__version__}


def _check_request(
    device: config.Device, library: Path, linker: Path | None, nvcc: Path | None
) -> None:
    formats = [f".{form}" for form in device.libraries]
    if library.suffix not in formats:
        raise UserError(
            f"--library {library}: device {device.name} has no such library;"
            f" expected a name that ends in {' or '.join(formats)}"
        )
    if library.suffix != ".tar" and linker is None:
        raise UserError(
            f"--library {library}: it needs a linker; give --linker with a program that"
            f" {TAKES[library.suffix.removeprefix('.')]}"
        )
    if nvcc is not None and device.target["kind"] != "cuda":
        raise UserError(f"--nvcc {nvcc}: device {device.name} has no CUDA kernels; leave it out")


def _describe_library(
    key: CompileKey, device: config.Device, form: str, built: BuiltLibrary, has_cubin: bool
) -> dict[str, Any]:
    target = device.target
    is_system_library = form in ("tar", "wasm")
    return {
        "model_lib": key.model_lib,
        "device": key.device,
        "library": {
            "format": form,
            "object": device.object,
            "symbol": (symbol_prefix(key) if is_system_library else "") + SYMBOL_SUFFIX,
            "device_code": "cuda-cubin" if has_cubin else _DEVICE_CODE[target["kind"]],
        },
        "metadata": built.metadata,
        "memory": built.memory,
        "versions": versions(),
    }
