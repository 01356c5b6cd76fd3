"""Downloads one file of the Hub: resumed where it broke off, verified while it comes."""

from __future__ import annotations

import http.client
import re

from tools.cli import UserError
from tools.hub.attempts import TRANSIENT, Attempts
from tools.hub.client import Client, HttpError, host_of
from tools.hub.partial import Partial

_CHUNK = 1 << 20  # bytes
_PROGRESS = 1 << 20  # bytes between two failures that make the second a first one
_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)\Z")


def download(
    client: Client, url: str, where: str, nbytes: int, sha256: str, partial: Partial
) -> None:
    """Completes ``partial`` to the file at ``url``.

    Args:
        client: Makes the requests.
        url: The file's address at the endpoint.
        where: What errors start with.
        nbytes: The file's size.
        sha256: Its digest.
        partial: What is there of it already; afterwards the whole file. After a failure it
            holds what came, or nothing where that was wrong.

    Raises:
        UserError: The Hub refuses, does not answer, or sends other bytes.
    """
    attempts = Attempts(client, where)
    inherited = partial.size > 0
    while True:
        _complete(client, url, where, nbytes, partial, attempts)
        if partial.sha256 == sha256:
            return
        actual = partial.sha256
        partial.clear()
        if not inherited:
            raise UserError(
                f"{where}: the bytes from {client.endpoint} have the sha256 {actual}, "
                f"the lock says {sha256}; run again, and distrust the network or HF_ENDPOINT "
                "if it stays so"
            )
        inherited = False  # what an earlier run left may have been damaged since


def _complete(
    client: Client, url: str, where: str, nbytes: int, partial: Partial, attempts: Attempts
) -> None:
    if partial.size > nbytes:
        partial.clear()
    while partial.size < nbytes:
        before = partial.size
        try:
            _append(client, url, where, nbytes, partial)
        except TRANSIENT as error:
            if partial.size - before >= _PROGRESS:
                attempts.progressed()
            if isinstance(error, HttpError) and error.status == 416:
                partial.clear()
                error = OSError("the server does not resume")
            attempts.failed(error)


def _append(client: Client, url: str, where: str, nbytes: int, partial: Partial) -> None:
    with client.open(url, offset=partial.size) as response:
        total = _total(response, partial)
        if total is not None and total != nbytes:
            raise UserError(
                f"{where}: has {total} bytes at {host_of(response.url)}, the lock says {nbytes}; "
                "make the lock anew, or correct HF_ENDPOINT"
            )
        while partial.size < nbytes:
            chunk = response.read1(min(_CHUNK, nbytes - partial.size))
            if not chunk:
                raise http.client.IncompleteRead(b"", nbytes - partial.size)
            partial.append(chunk)


def _total(response: http.client.HTTPResponse, partial: Partial) -> int | None:
    """Returns the file's size where the server says it; starts over where it does not resume."""
    if response.status == http.HTTPStatus.PARTIAL_CONTENT:
        span = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        if not span or int(span[1]) != partial.size:
            partial.clear()
            raise http.client.HTTPException("another range than asked for")
        return None if span[2] == "*" else int(span[2])
    partial.clear()
    return response.length
