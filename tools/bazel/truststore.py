"""A Java trust store of the machine's own certificates.

The private Bazel's Java runtime knows none of them; with this, Bazel's downloader trusts what pip
and apt trust.
"""

from __future__ import annotations

import base64
import glob
import hashlib
import os
import re
import struct
import time
from pathlib import Path

from .errors import LauncherError

_PEM = re.compile(r"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)
_MAGIC, _VERSION, _TRUSTED_CERTIFICATE = 0xFEEDFEED, 2, 2
# Part of the JKS format: its integrity check needs a password, and everybody's is this one.
_PASSWORD = "changeit".encode("utf-16-be") + b"Mighty Aphrodite"


def write(bundle: Path, output: Path) -> None:
    """Writes the trust store of a PEM file, atomically, and removes earlier ones.

    Args:
        bundle: The PEM file.
        output: The trust store; its name is the bundle's, what tells its contents, and ``.jks``.

    Raises:
        LauncherError: The PEM file cannot be read, or the trust store cannot be written.
    """
    temporary = output.with_name(f"{output.name}.{os.getpid()}")
    try:
        data = trust_store(bundle.read_text(encoding="utf-8", errors="replace"))
        output.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        os.replace(temporary, output)
        for path in output.parent.glob(f"{glob.escape(bundle.name)}.*.jks"):
            if path != output:
                path.unlink(missing_ok=True)  # of what the bundle was before
    except OSError as error:
        raise LauncherError(f"trust store of {bundle}: {error}") from None


def trust_store(pem: str) -> bytes:
    """Returns a JKS trust store (password ``changeit``) of the certificates in PEM text."""
    now = int(time.time() * 1000)
    certificates = list(dict.fromkeys(base64.b64decode(body) for body in _PEM.findall(pem)))
    parts = [struct.pack(">III", _MAGIC, _VERSION, len(certificates))]
    for number, certificate in enumerate(certificates):
        parts += [
            struct.pack(">I", _TRUSTED_CERTIFICATE),
            _utf(f"ca{number}"),
            struct.pack(">Q", now),
            _utf("X.509"),
            struct.pack(">I", len(certificate)),
            certificate,
        ]
    body = b"".join(parts)
    return body + hashlib.sha1(_PASSWORD + body).digest()


def _utf(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack(">H", len(data)) + data
