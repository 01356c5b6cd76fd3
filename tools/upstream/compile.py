"""From a compile key to the files of a library, by upstream's compiler."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools import cli, config
from tools.cli import UserError
from tools.config import CompileKey
from tools.library.accept import accept
from tools.library.containers import read_objects
from tools.library.describe import describe
from tools.library.memory import memory_figures
from tools.objects_tar import tar_bytes
from tools.upstream import log
from tools.upstream.arguments import APPLE, chat_config, compile_arguments

_PATH = "/usr/local/bin:/usr/bin:/bin"
_START = Path(__file__).absolute().with_name("start.py")


def compile_library(
    key: CompileKey,
    library: Path,
    metadata: Path,
    log_file: Path,
    *,
    interpreter: Path,
    site: Path,
    versions: dict[str, str],
    symbol_suffix: str,
    log_name: str | None = None,
) -> None:
    """Compiles and writes the files, each whole or not at all.

    Args:
        key: What to compile; one for compilers other than the embedded one.
        library: ``.tar`` for the objects of a system library, ``.so`` for a shared library.
        metadata: Where the metadata and the memory figures go.
        log_file: Where the log goes, also after a failure.
        interpreter: The Python that runs mlc_llm.
        site: The directory of its packages.
        versions: Of TVM and mlc_llm, for the metadata.
        symbol_suffix: What follows ``<model_lib>_`` in the library's symbol.
        log_name: What messages call the log, if not by its path.

    Raises:
        UserError: Upstream's compiler cannot do it, or failed.
    """
    where = key.model_lib
    if key.device in APPLE and shutil.which("xcrun", path=_PATH) is None:
        raise UserError(
            f"{where}: for {key.device} upstream's compiler runs Xcode's xcrun, which this machine "
            "has not; build on a Mac, or with the embedded compiler"
        )
    device = config.device(key.device)
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / f"lib.{device.library}"
        text = _run(key, output, interpreter, site, Path(scratch))
        # On some systems the exit status of a compilation that worked is not 0.
        if not output.is_file():
            cli.write_text(log_file, text)
            raise UserError(
                f"{where}: upstream's compiler failed: {log.reason(text)}; "
                f"details in {log_name or log_file}"
            )
        objects = read_objects(output)
        contents = tar_bytes(objects) if device.library == "tar" else output.read_bytes()
    found = accept(objects, device, key.model_lib, symbol_suffix, where)
    memory = memory_figures(found.metadata, key.model_config["fields"].get("vocab_size", 0), where)
    cli.write_bytes(library, contents)
    cli.write_json(metadata, describe(key, device, found, memory, versions), sort_keys=False)
    cli.write_text(log_file, text)


def _run(key: CompileKey, output: Path, interpreter: Path, site: Path, scratch: Path) -> str:
    """Runs the compiler; returns its log."""
    model = scratch / "model"
    model.mkdir()
    cli.write_json(model / "mlc-chat-config.json", chat_config(key))
    arguments = compile_arguments(key, str(model), str(output), key.model_lib)
    done = subprocess.run(
        [interpreter.absolute(), "-s", "-B", _START, *arguments],
        cwd=scratch,
        env=_environment(key, site, scratch),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return log.clean(done.stdout, f"{scratch}/")


def _environment(key: CompileKey, site: Path, scratch: Path) -> dict[str, str]:
    variables = {
        "HOME": str(scratch),
        "LC_ALL": "C.UTF-8",
        "MLC_LLM_HOME": str(scratch),
        "PATH": _PATH,
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(site.absolute()),
        # The native library of mlc_llm is its engine, which start.py leaves out.
        "SKIP_LOADING_MLCLLM_SO": "1",
        "TMPDIR": str(scratch),
        # Without it, TVM says nothing of what is wrong with a kernel.
        "TVM_BACKTRACE": "1",
    }
    if key.device == "macabi:x86_64":
        variables["MLC_MACABI_ARCH"] = "x86_64"
    return variables


def load_versions(stamp: Path) -> dict[str, str]:
    """Returns the versions in a stamp, as they stand in a library's metadata."""
    packages = json.loads(stamp.read_text(encoding="utf-8"))["packages"]
    return {
        "mlc_llm": packages["mlc-llm"],
        "tvm": packages["apache-tvm"],
        "tvm_ffi": packages["apache-tvm-ffi"],
    }
