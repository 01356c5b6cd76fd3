"""The sha256 of files whose digest the Hub does not list: they are small, and read whole."""

from __future__ import annotations

import hashlib
import http.client

from tools.cli import UserError
from tools.hub.attempts import TRANSIENT, Attempts
from tools.hub.client import Client
from tools.hub.listing import Listed

_CHUNK = 1 << 18  # bytes


def sha256_of(client: Client, commit: str, file: Listed) -> str:
    """Downloads a file to nowhere and returns its sha256.

    The bytes are held against the size and git's id in the listing, so that the lock never pins
    what was damaged on its way.

    Raises:
        UserError: The file cannot be read, or is not what the listing says.
    """
    where = f"{client.repo}: {file.path}"
    attempts = Attempts(client, where)
    while True:
        try:
            sha256, blob_id = _digests(client, commit, file)
        except TRANSIENT as error:
            attempts.failed(error)
            continue
        if blob_id == file.blob_id:
            return sha256
        raise UserError(
            f"{where}: the bytes have the git id {blob_id}, the listing says {file.blob_id}; "
            "run again, and distrust the network or HF_ENDPOINT if it stays so"
        )


def _digests(client: Client, commit: str, file: Listed) -> tuple[str, str]:
    sha256 = hashlib.sha256()
    blob = hashlib.sha1(b"blob %d\0" % file.nbytes, usedforsecurity=False)
    nbytes = 0
    with client.open(client.file_url(commit, file.path)) as response:
        while chunk := response.read1(_CHUNK):
            nbytes += len(chunk)
            sha256.update(chunk)
            blob.update(chunk)
    if nbytes < file.nbytes:
        raise http.client.IncompleteRead(b"", file.nbytes - nbytes)
    return sha256.hexdigest(), blob.hexdigest()
