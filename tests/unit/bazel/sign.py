"""Writes ``signed/``: the index of the tests' archive, signed with throw-away keys.

    python -m tests.unit.bazel.sign

Needs gpg, which the tests do not. To be run after a change of archive.py; the keys are made anew
and their secret halves are lost at the end.
"""

from __future__ import annotations

import hashlib
import lzma
import subprocess
import tempfile

from tests.unit.bazel.archive import SIGNED, archives


def main() -> None:
    """Writes the folder."""
    SIGNED.mkdir(exist_ok=True)
    digests = []
    for archive in archives():
        body = lzma.compress(archive.index().encode("utf-8"))
        name = f"main/binary-{archive.machine.debian}/Packages.xz"
        (SIGNED / f"Packages.{archive.machine.debian}.xz").write_bytes(body)
        digests.append(f" {hashlib.sha256(body).hexdigest()} {len(body):>8} {name}\n")
    text = "Origin: Test\nCodename: forky\nMD5Sum:\nSHA256:\n" + "".join(digests)
    with tempfile.TemporaryDirectory() as home:
        for who in ("archive", "stranger", "successor"):
            _gpg(home, "--passphrase", "", "--quick-generate-key", who, "rsa2048", "sign", "0")
        for who in ("archive", "stranger"):
            (SIGNED / f"{who}.gpg").write_bytes(_gpg(home, "--export", who))
        # Debian signs with the next release's key too, which older machines do not know.
        sign = ["--local-user", "archive", "--local-user", "successor", "--clearsign"]
        (SIGNED / "InRelease").write_bytes(_gpg(home, *sign, text=text))


def _gpg(home: str, *arguments: str, text: str = "") -> bytes:
    # A past date, so that a machine whose clock is late does not find the keys to be of the future.
    command = ["gpg", "--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback"]
    command += ["--faked-system-time", "20240101T000000!"]
    return subprocess.run(
        [*command, *arguments], input=text.encode(), stdout=subprocess.PIPE, check=True
    ).stdout


if __name__ == "__main__":
    main()
