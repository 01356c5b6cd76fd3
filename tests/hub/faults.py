"""What a server does wrong when it is told to."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """One wrong answer.

    Attributes:
        kind: ``status``: answers ``status``; ``reset``, ``truncated``, ``stalled``: after
            ``after`` bytes of the body the connection is reset, ends, or falls silent until
            the server's `release`; ``wrong``: every byte is inverted; ``slow``: a pause of
            ``pause`` seconds before each 16 KiB; ``whole``: ``Range`` is not honoured.
        after: Bytes of the body that are sent first; -1 where not even a header is.
        status: The HTTP status.
        body: The body of that status.
        headers: Headers of that status, such as ``Retry-After``.
        pause: Seconds.
    """

    kind: str
    after: int = 0
    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0


def status(number: int, body: bytes = b"", **headers: str) -> Fault:
    """Answers a status; ``Retry_After="1"`` is the header ``Retry-After: 1``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault("status", status=number, body=body, headers=named)


def rate_limited(seconds: str = "0") -> Fault:
    """Answers 429 and how long to wait."""
    return status(429, Retry_After=seconds)


def reset(after: int = -1) -> Fault:
    """Resets the connection."""
    return Fault("reset", after=after)


def truncated(after: int) -> Fault:
    """Ends the body too early."""
    return Fault("truncated", after=after)


def stalled(after: int) -> Fault:
    """Falls silent."""
    return Fault("stalled", after=after)


def slow(pause: float) -> Fault:
    """Sends little by little."""
    return Fault("slow", pause=pause)


WRONG_BYTES = Fault("wrong")
IGNORED_RANGE = Fault("whole")
