"""A bundle of files that are elsewhere has each of them, and no second copy of their bytes."""

from __future__ import annotations

import os

import pytest

from tools.weights.__main__ import main


@pytest.fixture
def command(tmp_path):
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "params_shard_0.bin").write_bytes(b"x" * 100)
    (tmp_path / "real.json").write_text("{}")
    # An action's inputs may be symbolic links.
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    names = ["--file", "tokenizer.json", str(tmp_path / "link.json")]
    return ["bundle", "--tree", str(tree), *names, "--output", str(tmp_path / "out")]


def test_links(command, tmp_path):
    """Files are hard links, of the real file where a link is given."""
    main(command)
    out = tmp_path / "out"
    assert sorted(path.name for path in out.iterdir()) == ["params_shard_0.bin", "tokenizer.json"]
    assert (out / "params_shard_0.bin").samefile(tmp_path / "tree/params_shard_0.bin")
    assert (out / "tokenizer.json").samefile(tmp_path / "real.json")
    assert not (out / "tokenizer.json").is_symlink()


def test_copies(command, tmp_path, monkeypatch):
    """Where the file system has no links, the bytes are there all the same."""

    def link(*_):
        raise OSError

    monkeypatch.setattr(os, "link", link)
    main(command)
    assert (tmp_path / "out/params_shard_0.bin").read_bytes() == b"x" * 100
    assert (tmp_path / "out/tokenizer.json").read_text() == "{}"


def test_file_of_a_name_that_the_tree_has(command, tmp_path):
    """It is not written into the tree's file, to which the bundle has a link."""
    (tmp_path / "tree/tokenizer.json").write_text("tree's")
    with pytest.raises(FileExistsError):
        main(command)
    assert (tmp_path / "tree/tokenizer.json").read_text() == "tree's"
