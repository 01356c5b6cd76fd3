"""The log of a compilation: for people, and the same in every run of the same compilation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tools import cli
from tools.config import CompileKey


def success_text(key: CompileKey, description: dict[str, Any], library_bytes: int) -> str:
    """Returns the log of a compilation that worked.

    Args:
        key: What was compiled.
        description: The metadata file's contents.
        library_bytes: Size of the library.
    """
    library, memory = description["library"], description["memory"]
    usage = description["metadata"]["memory_usage"]
    lines = [
        *_heading(key),
        "",
        f"library: {library['format']} of {library['object']} objects, {library_bytes} bytes",
        f"symbol: {library['symbol']}",
        f"device code: {library['device_code']}",
        *[f"{name}: {version}" for name, version in description["versions"].items()],
        "",
        "memory on the device, bytes:",
        *[f"  {name.removesuffix('_bytes')}: {size}" for name, size in memory.items()],
        "temporary memory of each function, bytes:",
        *[f"  {name}: {size}" for name, size in sorted(usage.items())],
    ]
    return "\n".join(lines) + "\n"


def failure_text(
    key: CompileKey, form: str, programs: Sequence[str], where: str, details: str
) -> str:
    """Returns the log of a compilation in which TVM failed.

    Args:
        key: What was compiled.
        form: The library's suffix.
        programs: The options that gave programs of the machine, such as ``--linker``.
        where: Stage and pass.
        details: The traceback.
    """
    options = " ".join([*[f"{option} PROGRAM" for option in programs], "--verbose"])
    lines = [
        *_heading(key),
        "",
        f"TVM failed in {where}.",
        "To see it again without Bazel, write the key above to KEY.json and run, in the root of",
        "the rules:",
        "  python3 -m venv venv",
        "  venv/bin/pip install --require-hashes -r tools/python/requirements.lock",
        "  venv/bin/python -m tools.compiler compile --key KEY.json"
        f" --library library.{form} {options}",
        "",
        details,
    ]
    return "\n".join(lines)


def _heading(key: CompileKey) -> list[str]:
    return [
        f"{key.model_lib}: {key.model_type}, {key.quantization}, for {key.device}",
        *[f"note: {note}" for note in key.notes],
        "",
        "compile key:",
        cli.json_text(key.to_json()).rstrip("\n"),
    ]
