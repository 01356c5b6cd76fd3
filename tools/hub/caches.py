"""Where the bytes of a file may already lie on this machine."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tools.hub import settings
from tools.hub.partial import Partial

_CHUNK = 1 << 20  # bytes


def candidates(
    repo: str,
    commit: str,
    path: str,
    sha256: str,
    directories: Sequence[str],
    environment: Mapping[str, str],
) -> Iterator[Path]:
    """Yields files that may have the sha256, the likelier first; they need not exist.

    Searched are huggingface_hub's cache (HF_HUB_CACHE, else HF_HOME/hub: blobs of any repository
    by sha256, then the snapshot of the commit), and directories laid out as mlc_llm's cache,
    ``hf/<org>/<repo>/<path>``: ``directories``, then MLC_LLM_READONLY_WEIGHT_CACHE.
    """
    folder = "models--" + repo.replace("/", "--")
    hub = Path(
        os.path.expanduser(environment.get("HF_HUB_CACHE", ""))
        or os.path.join(settings.home(environment), "hub")
    )
    yield hub / folder / "blobs" / sha256
    yield hub / folder / "snapshots" / commit / path
    read_only = environment.get("MLC_LLM_READONLY_WEIGHT_CACHE", "").split(os.pathsep)
    for directory in [*directories, *read_only]:
        if directory:
            yield Path(os.path.expanduser(directory)) / "hf" / repo / path
    yield from hub.glob(f"models--*/blobs/{sha256}")


def copy(source: Path, output: Path, nbytes: int, sha256: str) -> bool:
    """Copies ``source`` to ``output`` if it is the file that is wanted.

    Returns:
        False where it is another file.

    Raises:
        UserError: ``output`` cannot be written.
    """
    try:
        if not source.is_file() or source.stat().st_size != nbytes:
            return False
    except OSError:
        return False  # a cache that cannot be read is no cache
    with Partial(output.with_name(f".{output.name[:100]}.{sha256[:12]}.copy")) as partial:
        partial.clear()
        for chunk in _chunks(source):
            partial.append(chunk)
        if partial.sha256 == sha256:
            partial.become(output)
            return True
        partial.clear()
    return False


def _chunks(source: Path) -> Iterator[bytes]:
    """Yields what can be read of a file."""
    with contextlib.suppress(OSError), open(source, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            yield chunk
