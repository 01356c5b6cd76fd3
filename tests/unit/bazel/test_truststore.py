"""Protects the trust store: Java can read it, and it holds the machine's certificates."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest

from tools.bazel import truststore
from tools.bazel.errors import LauncherError


def pem(*certificates: bytes) -> str:
    """Returns certificates in PEM, with text between them as bundles have it."""
    bodies = [base64.encodebytes(certificate).decode() for certificate in certificates]
    return "".join(
        f"# one\n-----BEGIN CERTIFICATE-----\n{body}-----END CERTIFICATE-----\n" for body in bodies
    )


def test_the_store_has_the_format_of_java():
    """A JKS: magic, version 2, entries, and a SHA-1 over the password and all before."""
    store = truststore.trust_store(pem(b"first" * 50, b"second", b"first" * 50))
    body, digest = store[:-20], store[-20:]
    password = "changeit".encode("utf-16-be")
    assert digest == hashlib.sha1(password + b"Mighty Aphrodite" + body).digest()
    assert struct.unpack(">III", body[:12]) == (0xFEEDFEED, 2, 2)
    assert body.count(b"\x00\x05X.509") == 2
    assert struct.pack(">I", 250) + b"first" * 50 in body
    assert body.endswith(struct.pack(">I", 6) + b"second")


def test_it_takes_the_place_of_that_of_an_earlier_bundle(tmp_path):
    bundle, store = tmp_path / "ca.pem", tmp_path / "folder/ca.pem.2.jks"
    bundle.write_text(pem(b"first"))
    for name in ("ca.pem.1.jks", "other.pem.1.jks", store.name):
        truststore.write(bundle, store.with_name(name))
    assert sorted(path.name for path in store.parent.iterdir()) == [store.name, "other.pem.1.jks"]


def test_a_bundle_that_cannot_be_read_is_one_clear_line(tmp_path):
    with pytest.raises(LauncherError, match=r"^trust store of .*none\.pem"):
        truststore.write(tmp_path / "none.pem", tmp_path / "store.jks")
