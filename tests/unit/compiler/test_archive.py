"""An archive's bytes are its members' names and contents."""

from __future__ import annotations

import io
import tarfile

from tools.objects_tar import tar_bytes


def test_order_does_not_matter():
    """Members are sorted."""
    assert tar_bytes({"b.o": b"2", "a.o": b"1"}) == tar_bytes({"a.o": b"1", "b.o": b"2"})


def test_contents():
    """What went in comes out, with headers that say nothing of who packed it and when."""
    with tarfile.open(fileobj=io.BytesIO(tar_bytes({"a.o": b"1" * 1000}))) as archive:
        (member,) = archive.getmembers()
        assert archive.extractfile(member).read() == b"1" * 1000
    assert (member.name, member.mtime, member.uid, member.gid) == ("a.o", 0, 0, 0)
    assert (member.uname, member.gname, member.mode) == ("", "", 0o644)
