"""Checks the signature of a Debian archive, with the programs and keys that apt itself uses."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from .errors import LauncherError

_KEYRINGS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)


def archive_keyring() -> Path:
    """Returns the file with Debian's public keys; ``MLC_DEBIAN_KEYRING`` where set.

    Raises:
        LauncherError: There is none.
    """
    named = os.environ.get("MLC_DEBIAN_KEYRING")
    for path in (named,) if named else _KEYRINGS:
        if os.path.isfile(path):
            return Path(path)
    raise LauncherError(
        f"keyring missing: no {named or _KEYRINGS[0]}; install debian-archive-keyring, or set"
        " MLC_DEBIAN_KEYRING to a file with the keys of the Debian archive"
    )


def signed_text(in_release: bytes, keyring: Path, source: str) -> str:
    """Returns the part of a clear-signed ``InRelease`` file that a key of ``keyring`` has signed.

    Args:
        in_release: The file.
        keyring: Public keys, in the binary form.
        source: Where the file came from, for the error.

    Raises:
        LauncherError: No good signature, or no program that could check it.
    """
    program = shutil.which("gpgv")
    if program is None:
        raise LauncherError("gpgv missing: the index's signature cannot be checked; install gpgv")
    with tempfile.TemporaryDirectory() as folder:
        signed, text = Path(folder, "InRelease"), Path(folder, "text")
        signed.write_bytes(in_release)
        done = subprocess.run(
            [program, "--status-fd", "1", "--keyring", keyring, "--output", text, signed],
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
        )
        # The exit status tells nothing: it is not 0 as soon as one of several keys is unknown.
        words = [line.split()[1:2] for line in done.stdout.splitlines()]
        if ["GOODSIG"] in words and ["BADSIG"] not in words and text.is_file():
            return text.read_text(encoding="utf-8")
    if not words:
        reason = (done.stderr.strip().splitlines() or ["gpgv says nothing"])[-1]
    elif ["BADSIG"] in words:
        reason = "the text is not what was signed"
    elif ["EXPKEYSIG"] in words:
        reason = "the key has expired"
    else:
        reason = f"no key of {keyring} has signed it"
    raise LauncherError(f"signature wrong: {source}: {reason}; nothing of it is used")
