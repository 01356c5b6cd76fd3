"""Fixtures: a mirror with the tests' archive, and a copy of the launcher on a bare machine."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.bazel.archive import SIGNED, Archive, archives, fake_wheels
from tests.unit.bazel.mirror import Mirror, serve
from tools.bazel import lock
from tools.bazel.machine import MACHINES, this_machine

ROOT = Path(__file__).parents[3]

# What the launcher may expect of a machine besides python3 and pip.
TOOLS = ["cat", "date", "gpgv", "readlink", "sh", "sha256sum", "sleep", "stat", "uname"]


@pytest.fixture(scope="session")
def archive() -> Archive:
    """The archive for this machine."""
    return next(one for one in archives() if one.machine == this_machine())


@pytest.fixture
def mirror(archive: Archive) -> Iterator[Mirror]:
    """A mirror that serves the archive and its signed index."""
    with serve() as served:
        served.files.update(archive.files)
        served.files["dists/forky/InRelease"] = (SIGNED / "InRelease").read_bytes()
        for machine in MACHINES.values():
            body = (SIGNED / f"Packages.{machine.debian}.xz").read_bytes()
            folder = f"dists/forky/main/binary-{machine.debian}"
            served.files[f"{folder}/by-hash/SHA256/{hashlib.sha256(body).hexdigest()}"] = body
            served.files[f"{folder}/Packages.xz"] = body
        yield served


class Launcher:
    """A copy of ``bazelw``, locked to the tests' archive, on a machine with next to nothing.

    Attributes:
        tree: The folder of the copy.
        bin: The only folder on PATH.
        cache: The launcher's cache folder.
        environment: What a call sees.
        python_calls: A file with one line for each start of python3.
    """

    def __init__(self, folder: Path, archive: Archive, url: str) -> None:
        self.tree = folder / "tree"
        self.bin = folder / "bin"
        self.cache = folder / "cache/bazel"
        self.python_calls = folder / "python_calls"
        shutil.copytree(
            ROOT / "tools/bazel",
            self.tree / "tools/bazel",
            ignore=shutil.ignore_patterns("__pycache__"),
        )
        (self.tree / "tools/__init__.py").touch()
        shutil.copy(ROOT / "bazelw", self.tree)
        wheels = folder / "wheels"
        wheels.mkdir()
        locked = []
        for name, body in fake_wheels().items():
            (wheels / name).write_bytes(body)
            project, version = name.split("-")[:2]
            locked.append(f"{project}=={version} --hash=sha256:{hashlib.sha256(body).hexdigest()}")
        self.prefix = self.tree / "tools/bazel/prefix"
        (self.prefix / "requirements.txt").write_text("\n".join(locked) + "\n")
        lock.write({archive.machine.debian: archive.packages}, self.prefix / "packages.lock.json")
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.program("python3", f'echo "$*" >>{self.python_calls}\nexec {python_with_pip()} "$@"')
        self.environment = {
            "HOME": str(folder),
            "LC_ALL": "C",
            "MLC_CACHE_HOME": str(folder / "cache"),
            "MLC_DEBIAN_KEYRING": str(SIGNED / "archive.gpg"),
            "MLC_DEBIAN_MIRROR": url,
            "PATH": str(self.bin),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_FIND_LINKS": str(wheels),
            "PIP_NO_INDEX": "1",
        }

    def program(self, name: str, script: str) -> Path:
        """Puts a sh script on PATH and returns its file."""
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def start(self, *arguments: str, cwd: Path | None = None, **environment: str):
        """Starts ``bazelw``, in a process group of its own."""
        return subprocess.Popen(
            [self.tree / "bazelw", *arguments],
            cwd=cwd or self.tree,
            env={**self.environment, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, cwd: Path | None = None, **environment: str):
        """Runs ``bazelw`` and returns its status, stdout and stderr."""
        process = self.start(*arguments, cwd=cwd, **environment)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def fails(self, *arguments: str, **environment: str) -> str:
        """Runs ``bazelw``, which must fail in one clear line, and returns that line."""
        done = self.run(*(arguments or ("version",)), **environment)
        errors = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        assert done.returncode == 69, done
        assert len(errors) == 1, done.stderr
        assert errors[0].startswith("bazelw: error: "), errors
        assert "Traceback" not in done.stderr
        return errors[0]

    def installs(self) -> list[Path]:
        """Returns the folders of private Bazels, finished or not."""
        return sorted(self.cache.glob("bazel-*"))


@pytest.fixture
def launcher(tmp_path: Path, archive: Archive, mirror: Mirror) -> Launcher:
    """A launcher that has not been called yet."""
    return Launcher(tmp_path, archive, mirror.url)


@pytest.fixture(autouse=True)
def no_settings_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hides the launcher's own environment variables, and proxies, from the tests."""
    for name in list(os.environ):
        if name.startswith("MLC_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes retries of downloads follow at once."""
    monkeypatch.setattr("tools.bazel.download.time.sleep", lambda _: None)


@functools.cache
def python_with_pip() -> str:
    """Returns a Python that has pip: this one, or the machine's."""
    for python in (sys.executable, shutil.which("python3"), "/usr/bin/python3"):
        command = [python, "-m", "pip", "--version"]
        if python and subprocess.run(command, capture_output=True).returncode == 0:
            return python
    raise AssertionError("these tests need a python3 with pip, as the launcher does")
