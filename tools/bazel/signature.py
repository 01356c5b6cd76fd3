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
    gpgv, sqv = shutil.which("gpgv"), shutil.which("sqv")
    with tempfile.TemporaryDirectory() as folder:
        signed, text = Path(folder, "InRelease"), Path(folder, "text")
        signed.write_bytes(in_release)
        if gpgv:
            reason = _ask_gpgv(gpgv, keyring, signed, text)
        elif sqv:
            reason = _ask_sqv(sqv, keyring, signed, text)
        else:
            raise LauncherError(
                "gpgv missing: the index's signature cannot be checked; install gpgv or sqv"
            )
        if not reason:
            return text.read_text(encoding="utf-8")
    raise LauncherError(f"signature wrong: {source}: {reason}; nothing of it is used")


def _ask_gpgv(program: str, keyring: Path, signed: Path, text: Path) -> str:
    """Writes what GnuPG says is signed to ``text``; returns what is wrong, else nothing."""
    done = _run(program, "--status-fd", "1", "--keyring", keyring, "--output", text, signed)
    # The exit status tells nothing: it is not 0 as soon as one of several keys is unknown.
    words = {line.split()[1] for line in done.stdout.splitlines() if len(line.split()) > 1}
    if "BADSIG" in words:
        return "the text is not what was signed"
    if "GOODSIG" in words and text.is_file():
        return ""
    if "EXPKEYSIG" in words:
        return "the key has expired"
    if "ERRSIG" in words:
        return f"no key of {keyring} has signed it"
    return _last_line(done.stderr)


def _ask_sqv(program: str, keyring: Path, signed: Path, text: Path) -> str:
    """Does the same with Sequoia, which Debian 13 has in place of GnuPG."""
    done = _run(program, "--keyring", keyring, "--cleartext", "--output", text, signed)
    return "" if done.returncode == 0 else _last_line(done.stderr)


def _run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(
        command, capture_output=True, text=True, errors="replace", env=environment
    )


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["not a signed text"])[-1].strip(" .")
