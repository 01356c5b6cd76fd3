"""A compilation's bytes depend on its key and on nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tools

TOOLS = Path(tools.__file__).parent


@pytest.mark.parametrize("device", ["android", "iphone", "cpu:x86_64-linux"])
def test_processes_and_directories(small_key, tmp_path, device):
    """Two processes, in directories, with TMPDIR, hash seed and locale of their own.

    They find no program, so none but Python and TVM takes part: no C compiler, linker or tar.
    """
    results = []
    processes = []
    for number, locale in enumerate(["C", "C.UTF-8"]):
        directory = tmp_path / ("a" * (20 * number + 1))
        shutil.copytree(TOOLS, directory / "tools", ignore=shutil.ignore_patterns("__py*"))
        small_key(device).write(directory / "key.json")
        (directory / "temporary").mkdir()
        environment = {
            **os.environ,
            "PYTHONHASHSEED": str(number),
            "PYTHONPATH": os.pathsep.join([str(directory), *filter(None, sys.path)]),
            "TMPDIR": str(directory / "temporary"),
            "LC_ALL": locale,
            "PATH": str(directory / "temporary"),
        }
        arguments = ["compile", "--key", "key.json", "--library", "out.tar"]
        arguments += ["--metadata", "out.json", "--log", "out.log"]
        command = [sys.executable, "-m", "tools.compiler", *arguments]
        processes.append(subprocess.Popen(command, cwd=directory, env=environment))
        results.append([directory / name for name in ("out.tar", "out.json", "out.log")])
    assert [process.wait() for process in processes] == [0, 0]
    for first, second in zip(*results, strict=True):
        assert first.read_bytes() == second.read_bytes(), first.name
    assert not list((results[0][0].parent / "temporary").iterdir())
