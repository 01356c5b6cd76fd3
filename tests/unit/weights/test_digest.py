"""A file's digest is right at every size, since everything after it trusts the digest."""

from __future__ import annotations

import hashlib
import json

import pytest

from tools.cli import UserError
from tools.weights.__main__ import main
from tools.weights.digest import digest


@pytest.mark.parametrize("size", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20])
def test_digest(tmp_path, size):
    data = bytes(i % 251 for i in range(1000)) * (size // 1000 + 1)
    path = tmp_path / "shard"
    path.write_bytes(data[:size])
    assert digest(path) == {
        "nbytes": size,
        "md5": hashlib.md5(data[:size], usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(data[:size]).hexdigest(),
    }


def test_pointer_of_git_lfs(tmp_path):
    """A clone made without Git LFS has a few lines of text in the place of each large file."""
    path = tmp_path / "tokenizer.json"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    with pytest.raises(UserError, match="is a pointer of Git LFS, not the file; run git lfs pull"):
        digest(path)


def test_command_takes_arguments_from_a_file(tmp_path):
    (tmp_path / "shard").write_bytes(b"abc")
    arguments = ["digest", tmp_path / "shard", "--output", tmp_path / "d.json"]
    (tmp_path / "params").write_text("\n".join(map(str, arguments)) + "\n", encoding="utf-8")
    main([f"@{tmp_path / 'params'}"])
    written = json.loads((tmp_path / "d.json").read_text(encoding="utf-8"))
    assert written == digest(tmp_path / "shard")
