"""An install changes only what it must, and never a file that it did not put there."""

from __future__ import annotations

import os

import pytest

from tools import cli
from tools.package import placement
from tools.package.__main__ import main


def test_first_install_links_everything(build):
    build.make(lib__a="AA", bundle__m__b="B")
    nbytes = 3 + build.manifest.stat().st_size
    assert build.install() == f"3 files, {nbytes} bytes: 3 linked"
    assert set(build.contents()) == {"lib/a", "bundle/m/b", "package-manifest.json"}
    for path in ("lib/a", "bundle/m/b"):
        assert os.path.samefile(build.dist / path, build.root / path)
        assert not (build.dist / path).is_symlink()


def test_second_install_changes_nothing(build):
    build.make(lib__a="A").install()
    before = build.inodes()
    assert build.install().endswith(": 2 up to date")
    assert build.inodes() == before


def test_only_an_edited_file_is_replaced(build):
    build.make(a="one", b="two").install()
    before = build.inodes()
    assert build.make(a="one", b="three").install().endswith(": 2 linked, 1 up to date")
    after = build.inodes()
    assert after["a"] == before["a"]
    assert after["b"] != before["b"]
    assert build.contents()["b"] == "three"


def test_edit_of_the_same_size_is_seen(build):
    build.make(a="one").install()
    build.make(a="two").install()
    assert build.contents()["a"] == "two"


def test_edit_in_dist_that_keeps_size_and_time_is_seen(build, no_hard_links):
    no_hard_links()
    build.make(a="one").install()
    target = build.dist / "a"
    before = target.stat()
    target.write_text("own", encoding="utf-8")
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))
    build.install()
    assert build.contents()["a"] == "one"


def test_replacing_does_not_write_through_a_hard_link(build):
    build.make(a="one").install()
    first = (build.root / "a").resolve()
    build.make(a="two").install()
    assert first.read_text(encoding="utf-8") == "one"


def test_leftovers_are_removed_with_their_directories(build):
    build.make(bundle__m__a="A", bundle__n__b="B").install()
    assert build.make(bundle__m__a="A").install().endswith("1 linked, 1 up to date, 1 removed")
    assert not (build.dist / "bundle" / "n").exists()
    assert (build.dist / "bundle" / "m" / "a").exists()


def test_foreign_files_are_kept(build):
    build.make(bundle__a="A", bundle__b="B").install()
    (build.dist / "bundle" / "mine").write_text("mine", encoding="utf-8")
    (build.dist / "notes").write_text("notes", encoding="utf-8")
    build.make(c="C").install()
    assert set(build.contents()) == {"bundle/mine", "notes", "c", "package-manifest.json"}


def test_leftover_that_was_changed_is_kept(build):
    build.make(a="A", b="B").install()
    (build.dist / "b").unlink()
    (build.dist / "b").write_text("my own", encoding="utf-8")
    build.make(a="A").install()
    assert build.contents()["b"] == "my own"


def test_file_in_the_way_is_named_and_nothing_changes(build):
    build.dist.mkdir()
    (build.dist / "b").write_text("mine", encoding="utf-8")
    build.make(a="A", b="B")
    assert build.error() == (
        "dist/b: is in the way, and no install of this package put it there; remove or rename it"
    )
    assert [path.name for path in build.dist.iterdir()] == ["b"]
    assert build.contents() == {"b": "mine"}


def test_file_in_the_way_with_the_same_bytes_is_taken_over(build):
    build.dist.mkdir()
    (build.dist / "a").write_text("A", encoding="utf-8")
    build.make(a="A").install()
    assert os.path.samefile(build.dist / "a", build.root / "a")


def test_installed_file_that_was_edited_is_restored(build):
    build.make(a="A").install()
    (build.dist / "a").unlink()
    (build.dist / "a").write_text("broken", encoding="utf-8")
    build.install()
    assert build.contents()["a"] == "A"


def test_installed_file_that_was_deleted_is_restored(build):
    build.make(a="A", b="B").install()
    (build.dist / "a").unlink()
    assert build.install().endswith(": 1 linked, 2 up to date")
    assert build.contents()["a"] == "A"


def test_touched_file_is_compared_by_its_bytes(build, no_hard_links):
    no_hard_links()
    build.make(a="A").install()
    os.utime(build.dist / "a", ns=(1, 1))
    assert build.install().endswith(": 2 up to date")


def test_rebuilt_file_of_the_same_bytes_is_up_to_date(build):
    build.make(a="A").install()
    real = (build.root / "a").resolve()
    real.unlink()
    real.write_text("A", encoding="utf-8")
    assert build.install().endswith(": 2 up to date")


def test_copies_across_file_systems(build, no_hard_links):
    no_hard_links()
    build.make(a="A", b="B")
    assert build.install().endswith(": 3 copied")
    assert not os.path.samefile(build.dist / "a", build.root / "a")
    assert build.install().endswith(": 3 up to date")
    build.make(a="A2", b="B").install()
    assert build.contents()["a"] == "A2"


def test_unchanged_copy_is_not_read_again(build, monkeypatch, no_hard_links):
    no_hard_links()
    build.make(a="A").install()
    read = []
    monkeypatch.setattr(placement, "sha256", lambda path: read.append(path.name) or "")
    with pytest.raises(cli.UserError):
        build.install(name="other")
    read.clear()
    build.install()
    assert "a" not in read


def test_dry_run_says_what_would_change_and_changes_nothing(build):
    lines: list[str] = []
    build.make(a="A").install(dry_run=True, report=lines.append)
    assert lines == ["would install a", "would install package-manifest.json"]
    assert not build.dist.exists()
    build.install()
    lines.clear()
    summary = build.make(b="B").install(dry_run=True, report=lines.append)
    assert lines == [
        "would install b",
        "would install package-manifest.json",
        "would remove a",
    ]
    assert summary.endswith(": 2 to install, 1 removed")
    assert "a" in build.contents()


def test_what_was_done_is_reported(build):
    lines: list[str] = []
    build.make(a="A").install()
    build.make(b="B").install(report=lines.append)
    assert lines == ["link b", "link package-manifest.json", "remove a"]


def test_command_prints_one_line(build, capsys, monkeypatch):
    monkeypatch.chdir(build.dist.parent)
    build.make(a="A" * 3_100_000)
    argv = ["install", "--manifest", str(build.manifest), "--root", str(build.root)]
    argv += ["--name", "pkg", "--output", "elsewhere", "--output", str(build.dist)]
    main(argv)
    assert capsys.readouterr().out == "dist: 2 files, 3.1 MB: 2 linked\n"
    main([*argv, "--dry-run"])
    assert capsys.readouterr().out == "dist: 2 files, 3.1 MB: 2 up to date (dry run)\n"
