"""The digests of one file."""

from __future__ import annotations

import hashlib
import os
from typing import Any

from tools.weights.lfs import refuse_pointer

_CHUNK = 1 << 20  # bytes


def digest(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Reads ``path`` once and returns ``{"nbytes", "md5", "sha256"}``.

    Raises:
        UserError: The file is a pointer of Git LFS.
    """
    md5 = hashlib.md5(usedforsecurity=False)
    sha256 = hashlib.sha256()
    nbytes = 0
    buffer = bytearray(_CHUNK)
    view = memoryview(buffer)
    with open(path, "rb", buffering=0) as file:
        while count := file.readinto(buffer):
            if not nbytes:
                refuse_pointer(buffer, str(path))
            md5.update(view[:count])
            sha256.update(view[:count])
            nbytes += count
    return {"nbytes": nbytes, "md5": md5.hexdigest(), "sha256": sha256.hexdigest()}
