"""An install that is killed is completed by the next; none leaves DIST or follows a link."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from tools.cli import UserError
from tools.package import install as install_module
from tools.package import placement
from tools.package.__main__ import main


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_rerun_completes_an_install_that_was_killed(build, monkeypatch, calls):
    build.make(a="1", b="1", old="x").install()
    build.make(a="2", b="2", c="2")
    real_place, done = placement.place, []

    def killed(*args):
        if len(done) == calls:
            raise KeyboardInterrupt
        done.append(args)
        return real_place(*args)

    monkeypatch.setattr(placement, "place", killed)
    with pytest.raises(KeyboardInterrupt):
        build.install()
    monkeypatch.undo()
    build.install()
    assert {name: build.contents()[name] for name in "abc"} == {"a": "2", "b": "2", "c": "2"}
    assert "old" not in build.contents()
    assert build.install().endswith(": 4 up to date")


def test_after_a_kill_a_newer_package_still_owns_what_was_written(build, monkeypatch):
    build.make(a="1")
    monkeypatch.setattr(install_module, "_installed", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build.install()
    monkeypatch.undo()
    build.make(a="2").install()
    assert build.contents()["a"] == "2"


def test_after_a_kill_a_foreign_file_is_still_foreign(build, monkeypatch):
    build.make(a="1")
    monkeypatch.setattr(placement, "place", lambda *args: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        build.install()
    monkeypatch.undo()
    (build.dist / "a").write_text("mine", encoding="utf-8")
    assert build.error().startswith("dist/a: is in the way")


def test_nothing_half_written_is_left(build, monkeypatch, no_hard_links):
    no_hard_links()

    def full(source, target):
        Path(target).write_text("half", encoding="utf-8")
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(OSError, match="No space"):
        build.make(a="A").install()
    assert build.contents() == {}
    assert sorted(os.listdir(build.dist / ".rules_mlc")) == ["lock", "pkg.json"]


def test_symbolic_link_to_a_directory_is_not_followed(build, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    build.dist.mkdir()
    (build.dist / "bundle").symlink_to(outside)
    assert build.make(bundle__a="A").error() == (
        "dist/bundle: is a symbolic link, which an install does not follow; remove it"
    )
    assert os.listdir(outside) == []


def test_symbolic_link_in_place_of_the_records_is_not_followed(build, tmp_path):
    build.dist.mkdir()
    (build.dist / ".rules_mlc").symlink_to(tmp_path)
    assert build.make(a="A").error() == (
        "dist/.rules_mlc: is a symbolic link, which an install does not follow; remove it"
    )


def test_symbolic_link_to_a_file_is_in_the_way(build, tmp_path):
    (tmp_path / "outside").write_text("A", encoding="utf-8")
    build.dist.mkdir()
    (build.dist / "a").symlink_to(tmp_path / "outside")
    assert build.make(a="A").error().startswith("dist/a: is in the way")


def test_leftover_behind_a_link_is_not_removed(build, tmp_path):
    build.make(bundle__a="A", b="B").install()
    (build.dist / "bundle").rename(tmp_path / "moved")
    (build.dist / "bundle").symlink_to(tmp_path / "moved")
    build.make(b="B").install()
    assert (tmp_path / "moved" / "a").exists()


def test_dist_itself_may_be_a_link(build, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    build.dist.symlink_to(tmp_path / "elsewhere")
    build.make(a="A").install()
    assert (tmp_path / "elsewhere" / "a").exists()


def test_file_in_place_of_dist(build):
    build.dist.write_text("mine", encoding="utf-8")
    assert (
        build.make(a="A").error()
        == "--output dist: dist is no folder; expected a folder, or none yet"
    )
    assert build.dist.read_text(encoding="utf-8") == "mine"


def test_link_to_nowhere_in_place_of_dist(build):
    build.dist.symlink_to("nowhere")
    assert build.make(a="A").error() == (
        "--output dist: dist is a link to nowhere; expected a folder, or none yet"
    )


@pytest.mark.parametrize("folder", ["", ".rules_mlc", "bundle", "bundle/old"])
def test_folder_that_cannot_be_written_is_found_before_a_file_changes(build, monkeypatch, folder):
    build.make(a="A", bundle__b="B", bundle__old__c="C").install()
    before = build.contents()
    build.make(a="new", bundle__b="new")
    closed = str(build.dist / folder)
    # In place of the mode of the folder, which root does not obey.
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != closed)
    assert build.error() == (
        f"--output dist: {Path('dist', folder)} cannot be written; give another folder, or the "
        "right to write there"
    )
    assert build.contents() == before


def test_empty_output(build, monkeypatch):
    """An empty variable of a script is not the current folder."""
    monkeypatch.chdir(build.make(a="A").root)
    files = ["--manifest", str(build.manifest), "--root", str(build.root)]
    with pytest.raises(UserError, match=r"\A--output: is empty; expected the folder"):
        main(["install", *files, "--name", "p", "--output", ""])


def test_directory_in_place_of_a_file(build):
    (build.dist / "a").mkdir(parents=True)
    assert build.make(a="A").error() == (
        "dist/a: is a directory, and the package has a file there; remove it"
    )


def test_file_in_place_of_a_directory(build):
    build.dist.mkdir()
    (build.dist / "bundle").write_text("x", encoding="utf-8")
    assert build.make(bundle__a="A").error() == (
        "dist/bundle: is a file, and the package has a directory there; remove it"
    )


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("../x", "names a directory that is not its own"),
        ("/etc/x", "is absolute"),
        (".rules_mlc/x", "is where records of installs are kept"),
    ],
)
def test_manifest_with_a_path_that_leaves_dist(build, path, what):
    build.make()
    entry = {"path": path, "nbytes": 0, "sha256": ""}
    build.manifest.write_text(json.dumps({"files": [entry]}), encoding="utf-8")
    assert build.error() == (
        f"root/package-manifest.json: the path {path!r} {what}; build the package again"
    )


def test_file_that_is_not_the_manifests(build):
    build.make(a="A")
    (build.root / "a").unlink()
    expected = "root/a: is not the file that package-manifest.json lists; build the package again"
    assert build.error() == expected
    (build.root / "a").write_text("longer", encoding="utf-8")
    assert build.error() == expected


def test_file_that_a_cache_has_spoiled(build):
    build.make(a="A", b="B").install()
    build.make(a="A", b="C")
    (build.root / "b").resolve().write_text("X", encoding="utf-8")
    assert build.error().endswith(
        ": has other bytes than package-manifest.json lists; remove it, and the cache that it came "
        "from, and build the package again"
    )
    assert build.contents()["b"] == "B"


def test_refused_first_install_leaves_nothing(build):
    build.make(a="A")
    (build.root / "a").resolve().write_text("X", encoding="utf-8")
    assert "has other bytes than" in build.error()
    assert not build.dist.exists()


@pytest.mark.parametrize("text", ["[]", "{}", '{"files": 1}'])
def test_something_else_as_the_manifest(build, text):
    build.make().manifest.write_text(text, encoding="utf-8")
    assert build.error() == (
        "root/package-manifest.json: is not a package manifest; expected an object with files"
    )


def test_bad_name(build):
    assert build.make().error(name="../x") == (
        "--name: '../x' contains a slash; expected a plain name"
    )


def test_damaged_record(build):
    build.make(a="A").install()
    (build.dist / ".rules_mlc" / "pkg.json").write_text('{"files": {"a": 1}}', encoding="utf-8")
    assert build.error() == (
        "dist/.rules_mlc/pkg.json: is not a record of an install; "
        "remove it, and the files of the package"
    )


def test_two_packages_with_different_files_of_one_name(build):
    build.make(a="A").install(name="first")
    assert build.make(a="B").error(name="second") == (
        "dist/a: was installed by first and differs; give one of the packages another --output"
    )


def test_packages_that_share_equal_files_do_not_remove_each_others(build):
    build.make(a="A", b="B").install(name="first")
    build.install(name="second")
    build.make(b="B").install(name="second")
    assert build.contents()["a"] == "A"
