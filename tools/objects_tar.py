"""A library as a .tar of objects, the same bytes whenever and wherever it is written."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping


def tar_bytes(files: Mapping[str, bytes]) -> bytes:
    """Returns an uncompressed tar: sorted members, time 0, owner 0, mode 0644.

    Args:
        files: Member's name to contents.
    """
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files[name]))
    return stream.getvalue()
