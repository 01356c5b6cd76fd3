"""Runs upstream's script in a scratch directory, and takes what it made."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools import cli
from tools.cli import UserError
from tools.runtime_source import needs

_LAST_LINES = 20


def build(
    device: str,
    source: Path,
    model_archive: Path | None,
    outputs: Sequence[tuple[str, Path]],
    log: Path,
    environment: Mapping[str, str],
    where: str,
    version: str,
    *,
    complete: bool = False,
) -> None:
    """Builds the runtime and writes its files, all of them or none.

    Args:
        device: ``android``, ``iphone``, ``macabi`` or ``macabi:x86_64``.
        source: mlc-llm's sources: a directory, or a .tar of one.
        model_archive: For android, libmodel_android.a, which is linked into the runtime.
        outputs: Path below ``dist/lib``, and the file to write.
        log: Where the script's output goes.
        environment: The variables that the script gets.
        where: The target that errors name.
        version: Of the TVM that the runtime is said to be built of.
        complete: Whether `outputs` is to have every library that the script makes; one that it
            has not is named in a warning.

    Raises:
        UserError: The machine lacks a tool, the sources are of another TVM, the script failed, or
            made something else.
    """
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch) / "work"
        work.mkdir()
        directory = _unpacked(source, Path(scratch) / "source") if source.is_file() else source
        found = needs.check(device, directory, environment, where)
        if _minor(found) != _minor(version):
            raise UserError(
                f"{where}: attribute version: is {version}, and the sources have TVM {found}; give "
                "that version, or TVM_SOURCE_DIR"
            )
        if model_archive is not None:
            (work / "build/lib").mkdir(parents=True)
            shutil.copyfile(model_archive, work / "build/lib/libmodel_android.a")
        _run(device, directory, work, log, environment, where)
        made = {path: _made(device, directory, work, path) for path, _ in outputs}
        missing = [path for path, file in made.items() if not file.is_file()]
        if missing:
            raise UserError(
                f"{where}: upstream's script made no {', '.join(missing)}; this version's files "
                "are others: list them in attribute files"
            )
        others = sorted(_libraries(device, work) - made.keys()) if complete else []
        if others:
            files = json.dumps([*made, *others])
            cli.warn(
                f"{where}: upstream's script made {', '.join(others)}, too, which is left out; if "
                f"the app needs it, give mlc_runtime_from_source files = {files}"
            )
        for path, output in outputs:
            cli.write_bytes(output, made[path].read_bytes())


def _minor(version: str) -> list[str]:
    """Returns what a development version shares with the release that follows it."""
    return version.removeprefix("v").split(".")[:2]


def _unpacked(archive: Path, directory: Path) -> Path:
    """Unpacks a .tar; returns the one directory in it, or where it was unpacked."""
    directory.mkdir()
    try:
        with tarfile.open(archive) as tar:
            # Not in the first releases of Python 3.10 and 3.11.
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            tar.extractall(directory, **safe)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(f"{archive}: is not a .tar of mlc-llm's sources: {error}") from None
    entries = list(directory.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else directory


def _run(
    device: str,
    source: Path,
    work: Path,
    log: Path,
    environment: Mapping[str, str],
    where: str,
) -> None:
    script = str(needs.script(device, source.absolute()))
    command = ["bash", script] if needs.kind(device) == "iphone" else ["python3", script]
    if device.startswith("macabi"):
        command += ["--catalyst", "--arch", "x86_64" if device.endswith("x86_64") else "arm64"]
        target = environment.get("MLC_MACABI_DEPLOYMENT_TARGET")
        command += ["--deployment-target", target] if target else []
    done = subprocess.run(
        command,
        cwd=work,
        env={**environment, "MLC_LLM_SOURCE_DIR": str(source.absolute())},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    cli.write_text(log, done.stdout)
    if done.returncode:
        last = "".join(f"\n{where}: {line}" for line in done.stdout.splitlines()[-_LAST_LINES:])
        name = os.path.basename(script)
        raise UserError(f"{where}: upstream's {name} failed; it ended with{last}")


def _libraries(device: str, work: Path) -> set[str]:
    """Returns the libraries that the script made, by their paths below ``dist/lib``."""
    if needs.kind(device) == "android":
        made = (work / "build/output").rglob("*")
        return {
            f"mlc4j/{path.relative_to(work / 'build').as_posix()}"
            for path in made
            if path.suffix in (".jar", ".so")
        }
    return {path.name for path in _xcode_libraries(device, work).glob("*.a")}


def _xcode_libraries(device: str, work: Path) -> Path:
    arch = "x86_64" if device.endswith("x86_64") else "arm64"
    return work / (f"build-maccatalyst-{arch}" if device.startswith("macabi") else "build") / "lib"


def _made(device: str, source: Path, work: Path, path: str) -> Path:
    """Returns where the script, or the sources, have a file of ``dist/lib``."""
    if needs.kind(device) == "android":
        name = path.removeprefix("mlc4j/")
        built = name.startswith("output/")
        return (work / "build" if built else source / "android/mlc4j") / name
    return _xcode_libraries(device, work) / path
