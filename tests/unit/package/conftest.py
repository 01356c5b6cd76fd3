"""What the tests of tools/package share: object files, libraries and packages made by hand."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import shutil
import struct
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.objects import elf_object, macho_object
from tools import cli
from tools.config import CompileKey
from tools.package.__main__ import main
from tools.package.install import install


def read_archive(data: bytes) -> tuple[list[tuple[str, int, bytes]], dict[str, str]]:
    """Reads a GNU or Darwin archive by the formats' descriptions, not by the code under test.

    Returns:
        The members in order, as name, offset of the header and data with its padding; and the
        index: symbol to member name.
    """
    assert data[:8] == b"!<arch>\n"
    members, index_data, names, position = [], b"", b"", 8
    while position < len(data):
        header = data[position : position + 60]
        assert header[58:60] == b"`\n"
        name, size = header[:16].decode().rstrip(), int(header[48:58])
        assert header[16:40].split() in ([b"0", b"0", b"0"], [])
        body = data[position + 60 : position + 60 + size]
        if name.startswith("#1/"):
            length = int(name[3:])
            name, body = body[:length].rstrip(b"\0").decode(), body[length:]
        if name in ("/", "__.SYMDEF"):
            index_data = body
        elif name == "//":
            names = body
        else:
            if name.startswith("/"):
                name = names[int(name[1:]) :].split(b"/\n")[0].decode()
            members.append((name.removesuffix("/"), position, body))
        position += 60 + size + size % 2
    offsets = {offset: name for name, offset, _ in members}
    return members, {symbol: offsets[at] for symbol, at in _index(index_data, data[8:9] == b"/")}


def _index(data: bytes, gnu: bool) -> list[tuple[str, int]]:
    if gnu:
        count = struct.unpack(">I", data[:4])[0]
        offsets = struct.unpack(f">{count}I", data[4 : 4 + 4 * count])
        names = data[4 + 4 * count :].split(b"\0")
        return [(name.decode(), at) for name, at in zip(names, offsets, strict=False)]
    size = struct.unpack("<I", data[:4])[0]
    pairs = struct.unpack(f"<{size // 4}I", data[4 : 4 + size])
    strings = data[8 + size :]
    assert struct.unpack("<I", data[4 + size : 8 + size])[0] == len(strings)
    return [
        (strings[start:].split(b"\0")[0].decode(), at)
        for start, at in zip(pairs[::2], pairs[1::2], strict=True)
    ]


class Workshop:
    """Makes the inputs of the commands in a folder, and runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, value: Any) -> str:
        """Writes bytes, or anything else as JSON; returns the path."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        path.write_bytes(data)
        return str(path)

    def key(
        self, model_lib: str, device: str = "android", name: str = "", context: int = 512
    ) -> str:
        """Writes a compile key."""
        key = CompileKey(
            device=device,
            model_config={"context_window_size": context},
            model_lib=model_lib,
            model_type="llama",
            quantization="q4f16_1",
        )
        return self.write(f"{name or model_lib}.key.json", key.to_json())

    def tar(self, name: str, objects: Mapping[str, bytes], mode: str = "w") -> str:
        """Writes a .tar of objects."""
        path = self.folder / name
        with tarfile.open(path, mode) as tar:
            for member, data in objects.items():
                info = tarfile.TarInfo(member)
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
        return str(path)

    def error_of(self, *argv: str) -> str:
        """Runs a command that must fail; returns its error."""
        with pytest.raises(cli.UserError) as caught:
            main(list(argv))
        return str(caught.value)


class Build:
    """A build's outputs, as Bazel lays them out: links to read-only files elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.store = folder / "store"
        self.dist = folder / "dist"
        self.store.mkdir()

    def make(self, **files: str) -> Build:
        """Replaces the package by one of these files; ``__`` in a name stands for ``/``."""
        shutil.rmtree(self.root, ignore_errors=True)
        self.root.mkdir()
        entries = []
        for name, text in files.items():
            path, data = name.replace("__", "/"), text.encode()
            stored = self.store / hashlib.sha256(name.encode() + data).hexdigest()
            if not stored.exists():
                stored.write_bytes(data)
            link = self.root / path
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(stored)
            digest = hashlib.sha256(data).hexdigest()
            entries.append({"path": path, "nbytes": len(data), "sha256": digest})
        self.manifest.write_text(json.dumps({"files": entries}), encoding="utf-8")
        return self

    @property
    def manifest(self) -> Path:
        return self.root / "package-manifest.json"

    def install(self, name="pkg", **kwargs) -> str:
        """Installs; returns the summary."""
        return install(self.manifest, self.root, name, self.dist, **kwargs).text()

    def error(self, **kwargs) -> str:
        """Returns the error of an install that must fail, with paths from the folder's root."""
        with pytest.raises(cli.UserError) as caught:
            self.install(**kwargs)
        return str(caught.value).replace(f"{self.dist.parent}/", "")

    def contents(self) -> dict[str, str]:
        """Returns the text of every file below dist/, without records."""
        return {
            path.relative_to(self.dist).as_posix(): path.read_text(encoding="utf-8")
            for path in sorted(self.dist.rglob("*"))
            if path.is_file() and ".rules_mlc" not in path.parts
        }

    def inodes(self) -> dict[str, int]:
        """Returns the inode of every installed file."""
        return {path: os.stat(self.dist / path).st_ino for path in self.contents()}


@pytest.fixture
def build(tmp_path) -> Build:
    """A build without outputs yet."""
    return Build(tmp_path)


@pytest.fixture
def no_hard_links(monkeypatch) -> Callable[[], None]:
    """Makes hard links fail, as between two file systems."""

    def refuse(source, target):
        raise OSError(errno.EXDEV, "Invalid cross-device link", str(source))

    return lambda: monkeypatch.setattr(os, "link", refuse)


@pytest.fixture
def workshop(tmp_path, monkeypatch) -> Workshop:
    """A workshop in the current directory, so that errors show short paths."""
    monkeypatch.chdir(tmp_path)
    return Workshop(Path())


@pytest.fixture
def make_object() -> Callable[..., bytes]:
    """Makes an object: ``make_object("elf", {"name": "strong"})``."""
    return lambda kind, *args: {"elf": elf_object, "macho": macho_object}[kind](*args)


@pytest.fixture
def read_ar() -> Callable[[bytes], Any]:
    """The independent reader of archives."""
    return read_archive


@pytest.fixture
def sha256() -> Callable[[bytes], str]:
    """A digest in hexadecimal."""
    return lambda data: hashlib.sha256(data).hexdigest()
