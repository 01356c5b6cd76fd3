"""Protects the signed index: who may have signed it, and which packages are taken from it."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path

import pytest

from tests.unit.bazel.archive import SIGNED, archives
from tools.bazel import lock
from tools.bazel.download import Downloader
from tools.bazel.errors import LauncherError
from tools.bazel.index import read_index, resolve
from tools.bazel.prefix import packages
from tools.bazel.signature import archive_keyring, signed_text

IN_RELEASE = (SIGNED / "InRelease").read_bytes()


@pytest.fixture
def read(mirror, tmp_path, no_waiting):
    """Reads the index of an architecture."""

    def read(architecture: str = "amd64", *mirrors: str):
        downloader = Downloader(mirrors or [mirror.url], tmp_path)
        return read_index(downloader, "forky", architecture, SIGNED / "archive.gpg")

    return read


def test_a_good_signature_gives_the_signed_text_alone():
    smuggled = b"Codename: evil\n" + IN_RELEASE + b"Codename: evil\n"
    text = signed_text(smuggled, SIGNED / "archive.gpg", "here")
    assert "Codename: forky" in text
    assert "evil" not in text


@pytest.mark.parametrize(
    ("keyring", "change", "reason"),
    [
        ("stranger.gpg", (b"", b""), "no key of .* has signed it"),
        ("archive.gpg", (b"Codename: forky", b"Codename: evil"), "not what was signed"),
        ("archive.gpg", (b"-----BEGIN PGP SIGNATURE-----", b""), ""),
        ("archive.gpg", (IN_RELEASE, b"<html>Log in to the network</html>"), ""),
    ],
)
def test_a_bad_signature_is_refused(keyring, change, reason):
    with pytest.raises(LauncherError, match=rf"^signature wrong: here: .*{reason}"):
        signed_text(IN_RELEASE.replace(*change), SIGNED / keyring, "here")


def test_a_further_signature_by_an_unknown_key_does_no_harm():
    keyring = SIGNED / "archive.gpg"
    gpgv = subprocess.run(["gpgv", "--keyring", keyring, SIGNED / "InRelease"], capture_output=True)
    assert gpgv.returncode != 0
    assert "forky" in signed_text(IN_RELEASE, keyring, "here")


def test_a_machine_without_gpgv_or_keyring_is_told_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("MLC_DEBIAN_KEYRING", str(tmp_path / "none.gpg"))
    with pytest.raises(
        LauncherError, match=r"^keyring missing: .*none.gpg; install debian-archive"
    ):
        archive_keyring()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LauncherError, match=r"^gpgv missing: .*install gpgv"):
        signed_text(IN_RELEASE, SIGNED / "archive.gpg", "here")


@pytest.mark.parametrize("status", [0, 1])
def test_sqv_stands_in_for_gpgv(tmp_path, monkeypatch, status):
    program = tmp_path / "sqv"
    program.write_text(
        "#!/bin/sh\n"
        '[ "$1 $2 $3 $4" = "--keyring keys.gpg --cleartext --output" ] || exit 9\n'
        f'echo "the text of ${{6##*/}}" >"$5"\necho "Missing key" >&2\nexit {status}\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    if status == 0:
        assert signed_text(IN_RELEASE, Path("keys.gpg"), "here") == "the text of InRelease\n"
    else:
        with pytest.raises(LauncherError, match=r"^signature wrong: here: Missing key;"):
            signed_text(IN_RELEASE, Path("keys.gpg"), "here")


@pytest.mark.parametrize("one", archives(), ids=lambda one: one.machine.debian)
def test_the_signed_index_is_that_of_the_archive(read, one):
    found = read(one.machine.debian)
    assert [entry.package() for entry in found.values()] == one.packages, "run sign.py again"


def test_the_index_is_fetched_by_digest_or_else_by_name(read, mirror):
    for path in [path for path in mirror.files if "by-hash" in path]:
        del mirror.files[path]
    assert "zlib1g" in read()


def test_the_next_mirror_is_asked(read, mirror):
    assert "zlib1g" in read("amd64", f"{mirror.url}/elsewhere", mirror.url)


def test_a_mirror_without_the_suite_is_named(read, mirror):
    with pytest.raises(LauncherError, match="elsewhere is no mirror of Debian's forky"):
        read("amd64", f"{mirror.url}/elsewhere")


def test_an_architecture_that_the_suite_has_not_is_named(read):
    with pytest.raises(LauncherError, match="forky has no packages for m68k"):
        read("m68k")


def test_libraries_are_followed_and_other_dependencies_are_not(read):
    index = read()
    index["zlib1g"] = dataclasses.replace(
        index["zlib1g"], depends=("virtual", "libssl9", "program", "nowhere")
    )
    library = index["libc6"]
    index["real"] = dataclasses.replace(library, name="real", provides=("virtual",), depends=())
    index["libssl9"] = dataclasses.replace(library, name="libssl9")
    index["program"] = dataclasses.replace(library, name="program", library=False)
    names = [entry.name for entry in resolve(index)]
    expected = {*packages.NAMES, "zlib1g", "libgcc-s1", "libc6", "real"}
    assert names == sorted(expected)


def test_a_package_that_is_missing_is_named(read):
    index = read()
    del index["libblake3-0"]
    with pytest.raises(LauncherError, match="no package libblake3-0"):
        resolve(index)


def test_a_bazel_that_is_not_known_is_refused(read):
    index = read()
    index["bazel-bootstrap"] = dataclasses.replace(index["bazel-bootstrap"], version="8.1.0+ds-1")
    with pytest.raises(LauncherError, match=r"Debian has Bazel 8\.1\.0\+ds-1 now"):
        resolve(index)


def test_the_lock_is_what_the_index_said(read, mirror, tmp_path, monkeypatch):
    monkeypatch.setenv("MLC_DEBIAN_MIRROR", mirror.url)
    monkeypatch.setenv("MLC_DEBIAN_KEYRING", str(SIGNED / "archive.gpg"))
    path = tmp_path / "packages.lock.json"
    lock.update(path)
    for one in archives():
        assert lock.read(one.machine.debian, path) == one.packages
    assert lock.read("m68k", path) == []


def test_the_repositorys_lock_names_no_server():
    text = lock.PATH.read_text(encoding="utf-8")
    assert "://" not in text
    for architecture in ("amd64", "arm64"):
        locked = {package.name: package for package in lock.read(architecture)}
        assert set(packages.NAMES) <= set(locked)
        assert all(package.path.startswith("pool/main/") for package in locked.values())
