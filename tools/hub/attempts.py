"""Which failures deserve another attempt, and when."""

from __future__ import annotations

import http.client
import random
import time
import urllib.error

from tools.cli import UserError
from tools.hub.client import Client, HttpError
from tools.hub.refusals import refusal

ATTEMPTS = 5
"""Failures in a row, without progress between them, after which it is given up."""

FIRST_WAIT = 0.5
"""Seconds before the second attempt; each further wait is twice as long."""

LONGEST_WAIT = 60.0
"""Seconds; a server that asks for more is not waited for."""

TRANSIENT = (HttpError, OSError, http.client.HTTPException)
"""What `Attempts.failed` takes."""


class Attempts:
    """Counts failures in a row, and waits after each."""

    def __init__(self, client: Client, where: str) -> None:
        """Starts a count.

        Args:
            client: Whose requests they are.
            where: What errors start with: the repository, or one of its files.
        """
        self._client = client
        self._where = where
        self._failures = 0

    def progressed(self) -> None:
        """Forgets the failures so far."""
        self._failures = 0

    def failed(self, error: Exception) -> None:
        """Waits before the next attempt.

        Raises:
            UserError: There is to be none: the answer is final, the server asks for a long
                wait, or this was the last attempt.
        """
        retry_after = None
        if isinstance(error, HttpError):
            final = refusal(error, self._client, self._where)
            if final:
                raise UserError(final) from None
            retry_after = error.retry_after
        self._failures += 1
        if retry_after is not None and retry_after > LONGEST_WAIT:
            raise UserError(
                f"{self._where}: {error.host} answers {error} and asks to wait "
                f"{retry_after:.0f} s; run again then"
                + ("" if self._client.token else ", or set HF_TOKEN: users may ask more often")
            ) from None
        if self._failures >= ATTEMPTS:
            raise UserError(
                f"{self._where}: {describe(error, self._client)}, {ATTEMPTS} times in a row; "
                f"check the network and {self._client.endpoint}, and run again to go on"
            ) from None
        wait = FIRST_WAIT * 2 ** (self._failures - 1) * random.uniform(1, 1.25)
        time.sleep(wait if retry_after is None else retry_after)


def describe(error: Exception, client: Client) -> str:
    """Returns what failed, in a few words."""
    if isinstance(error, HttpError):
        return f"{error.host} answers {error}"
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(cause, TimeoutError):
        return f"the server is silent for {client.timeout:g} s"
    if isinstance(cause, http.client.RemoteDisconnected):
        return "the connection ended without an answer"
    if isinstance(cause, OSError) and cause.strerror:
        return f"the connection failed ({cause.strerror})"
    if isinstance(cause, http.client.IncompleteRead):
        return "the answer ended too early"
    return f"the connection failed ({cause or type(cause).__name__})"
