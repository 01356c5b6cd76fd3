"""Protects the readers of packages: what Bazel needs comes out, and nothing lands elsewhere."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os

import pytest

from tests.unit.bazel.archive import deb, tar, wheel
from tools.bazel.errors import LauncherError
from tools.bazel.prefix.unpack import unpack_deb, unpack_wheel

FILES = {
    "usr/bin/bazel": b"#!/bin/sh\n",
    "usr/bin/other": b"",
    "usr/lib/x86_64-linux-gnu/libz.so.1.3": b"library",
    "usr/lib/x86_64-linux-gnu/libz.so.1": "libz.so.1.3",
    "usr/lib/x86_64-linux-gnu/gconv/EBCDIC.so": b"",
    "usr/share/bazel/link": "/usr/bin/bazel",
    "usr/share/doc/bazel/copyright": b"",
}


@pytest.fixture
def unpack(tmp_path):
    """Unpacks a .deb into an empty folder and returns that."""

    def unpack(body: bytes):
        package, root = tmp_path / "package.deb", tmp_path / "root"
        package.write_bytes(body)
        root.mkdir()
        unpack_deb(package, root)
        return root

    return unpack


def test_what_bazel_needs_is_unpacked(unpack):
    root = unpack(deb(FILES))
    found = {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()}
    assert found == {
        "usr/bin/bazel",
        "usr/lib/x86_64-linux-gnu/libz.so.1.3",
        "usr/lib/x86_64-linux-gnu/libz.so.1",
        "usr/share/bazel/link",
    }
    assert os.access(root / "usr/bin/bazel", os.X_OK)
    assert (root / "usr/bin/bazel").stat().st_mtime == 1_500_000_000
    assert (root / "usr/lib/x86_64-linux-gnu/libz.so.1").read_bytes() == b"library"


def test_absolute_links_stay_inside(unpack):
    root = unpack(deb(FILES))
    assert os.readlink(root / "usr/share/bazel/link") == "../../bin/bazel"


def test_paths_that_lead_outside_are_ignored(unpack, tmp_path):
    unpack(deb({"usr/share/bazel/../../../../evil": b"evil"}))
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [(".xz", lzma.compress), (".gz", gzip.compress), (".bz2", bz2.compress)],
)
def test_compressed_packages(unpack, suffix, compress):
    root = unpack(deb({}, suffix, compress(tar(FILES))))
    assert (root / "usr/bin/bazel").read_bytes() == b"#!/bin/sh\n"


def test_zstd_packages_need_a_program_on_older_pythons(unpack, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "compression", None)
    monkeypatch.setenv("PATH", str(tmp_path))
    body = deb({}, ".zst", b"squeezed")
    with pytest.raises(LauncherError, match="install the zstd program"):
        unpack(body)
    (tmp_path / "root").rmdir()
    (tmp_path / "data.tar").write_bytes(tar(FILES))
    program = tmp_path / "zstd"
    program.write_text(f"#!/bin/sh\nwhile read -r _; do :; done\n/bin/cat {tmp_path}/data.tar\n")
    program.chmod(0o755)
    assert (unpack(body) / "usr/bin/bazel").read_bytes() == b"#!/bin/sh\n"


@pytest.mark.parametrize("body", [b"<html>", deb({}, ".lz5"), b"!<arch>\n"])
def test_what_is_no_package_is_refused(unpack, body):
    with pytest.raises(LauncherError, match="is no Debian package"):
        unpack(body)


def test_a_part_of_a_wheel(tmp_path):
    name, body = wheel("thing", "1.0", {"thing/bin/run": b"run", "thing/x.py": b"", "y.py": b""})
    (tmp_path / name).write_bytes(body)
    unpack_wheel(tmp_path / name, "thing/", tmp_path / "out")
    assert (tmp_path / "out/bin/run").read_bytes() == b"run"
    assert os.access(tmp_path / "out/bin/run", os.X_OK)
    assert not (tmp_path / "out/y.py").exists()
    unpack_wheel(tmp_path / name, "thing/bin/run", tmp_path / "run")
    assert (tmp_path / "run").read_bytes() == b"run"
    with pytest.raises(LauncherError, match="holds no other/"):
        unpack_wheel(tmp_path / name, "other/", tmp_path / "out")
