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
from tests.unit.compiler.pairs import CHAT_CONFIGS, small_chat_config
from tools import config
from tools.config import CompileKey

TOOLS = Path(tools.__file__).parent
COMPILE_KEYS = Path(__file__).parent / "compile_keys.py"


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
) -> Callable[[str, str], Library]:
    """A function ``(model_type, device) -> library``, of those that the tests of this run ask for.

    Two processes compile all of them at a time, in opposite order, in directories, with TMPDIR,
    hash seed and locale of their own. They find no program, so none but Python and TVM takes
    part: no C compiler, linker or tar.
    """
    tests = [item for item in request.session.items if "compiled" in item.fixturenames]
    cases = [item.callspec.params for item in tests if hasattr(item, "callspec")]
    pairs = {("llama", "android"), *[case["pair"] for case in cases if "pair" in case]}
    directories, processes = [], []
    for number, (locale, order) in enumerate([("C", "forward"), ("C.UTF-8", "reverse")]):
        directory = tmp_path_factory.mktemp("a" * (20 * number + 1))
        directories.append(directory)
        shutil.copytree(TOOLS, directory / "tools", ignore=shutil.ignore_patterns("__py*"))
        for model_type, device in pairs:
            key = config.build_key(CHAT_CONFIGS[model_type], device, model_lib="small")
            key.write(directory / f"{_file_name(model_type, device)}.key.json")
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
    return lambda *pair: Library(directories, _file_name(*pair))


def _file_name(model_type: str, device: str) -> str:
    return f"{model_type}-{device.replace(':', '-')}"
