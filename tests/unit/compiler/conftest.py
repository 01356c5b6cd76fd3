"""What the tests of tools/compiler share: the key of a small llama, and its compiled libraries."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lief
import pytest

import tools
from tools import config
from tools.config import CompileKey

TOOLS = Path(tools.__file__).parent
COMPILE_KEYS = Path(__file__).parent / "compile_keys.py"


def small_chat_config(**changes: Any) -> dict[str, Any]:
    """Returns mlc-chat-config.json of a llama of one layer; `changes` are of ``model_config``."""
    return {
        "model_type": "llama",
        "quantization": "q4f16_1",
        "model_config": {
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": 16,
            "num_hidden_layers": 1,
            "rms_norm_eps": 1e-5,
            "vocab_size": 100,
            "context_window_size": 128,
            "prefill_chunk_size": 32,
            "max_batch_size": 2,
            **changes,
        },
    }


@pytest.fixture
def small_key() -> Callable[..., CompileKey]:
    """A function ``(device, **changes of model_config) -> compile key``."""

    def small_key(device: str, **changes: Any) -> CompileKey:
        return config.build_key(small_chat_config(**changes), device, model_lib="small")

    return small_key


class Library:
    """The files of a compiled library.

    Args:
        directories: Where each of two processes wrote them.
        name: Of the files.
    """

    def __init__(self, directories: list[Path], name: str) -> None:
        files = [f"{name}.{suffix}" for suffix in ("tar", "metadata.json", "log")]
        self.both = [[(d / file).read_bytes() for file in files] for d in directories]
        self.archive, metadata, log = self.both[0]
        self.metadata = json.loads(metadata)
        self.log = log.decode()

    def members(self) -> list[tarfile.TarInfo]:
        with tarfile.open(fileobj=io.BytesIO(self.archive)) as archive:
            return archive.getmembers()

    def contents(self) -> list[bytes]:
        """The object files."""
        with tarfile.open(fileobj=io.BytesIO(self.archive)) as archive:
            return [archive.extractfile(member).read() for member in archive.getmembers()]

    def objects(self) -> list[Any]:
        """The object files, as lief reads them."""
        return [lief.parse(contents) for contents in self.contents()]


@pytest.fixture(scope="session")
def compiled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Library]:
    """A function ``device -> library``, of the devices that the tests of this run ask for.

    Two processes compile all of them at a time, in opposite order, in directories, with TMPDIR,
    hash seed and locale of their own. They find no program, so none but Python and TVM takes
    part: no C compiler, linker or tar.
    """
    tests = [item for item in request.session.items if "compiled" in item.fixturenames]
    cases = [item.callspec.params for item in tests if hasattr(item, "callspec")]
    devices = {"android"} | {case["device"] for case in cases if "device" in case}
    directories, processes = [], []
    for number, (locale, order) in enumerate([("C", "forward"), ("C.UTF-8", "reverse")]):
        directory = tmp_path_factory.mktemp("a" * (20 * number + 1))
        directories.append(directory)
        shutil.copytree(TOOLS, directory / "tools", ignore=shutil.ignore_patterns("__py*"))
        for device in devices:
            key = config.build_key(small_chat_config(), device, model_lib="small")
            key.write(directory / f"{_file_name(device)}.key.json")
        (directory / "temporary").mkdir()
        environment = {
            **os.environ,
            "PYTHONHASHSEED": str(number),
            "PYTHONPATH": os.pathsep.join([str(directory), *filter(None, sys.path)]),
            "TMPDIR": str(directory / "temporary"),
            "LC_ALL": locale,
            "PATH": str(directory / "temporary"),
        }
        command = [sys.executable, str(COMPILE_KEYS.absolute()), order]
        processes.append(subprocess.Popen(command, cwd=directory, env=environment))
    assert [process.wait() for process in processes] == [0, 0]
    for directory in directories:
        assert not list((directory / "temporary").iterdir())
    return lambda device: Library(directories, _file_name(device))


def _file_name(device: str) -> str:
    return device.replace(":", "-")
