"""What goes wrong between the Hub and a build, a shard for each, and what becomes of it."""

from __future__ import annotations

from tests.hub.faults import WRONG_BYTES, rate_limited, reset, slow, status, truncated
from tests.integration.hub_models import SHARD_BYTES, digests

HALF = SHARD_BYTES // 2
REST = f"bytes={HALF}-"

MENDED = {
    100: (("endpoint", rate_limited("1")), [None]),
    101: (("endpoint", reset()), [None]),
    102: (("storage", status(503)), [None, None]),
    103: (("storage", reset(HALF)), [None, REST]),
    104: (("storage", truncated(HALF)), [None, REST]),
    105: (("storage", slow(0.05)), [None]),
    106: (("storage", status(503), truncated(HALF)), [None, None, REST]),
}
"""The host and its faults, then the ranges that are asked of the storage, by the shard's seed."""

RESUMED = 208
FULL_DISK = 209
REFUSED = {
    200: (
        ("endpoint", status(403)),
        "refuses access (HTTP 403); see {page}, and set HF_TOKEN to a token with access from ",
    ),
    201: (
        ("endpoint", rate_limited("3600")),
        "HTTP 429 and asks to wait 3600 s; run again then, or set HF_TOKEN",
    ),
    202: (
        ("storage", *[status(500, Retry_After="0")] * 5),
        "HTTP 500, 5 times in a row; check the network and {url}, and run again",
    ),
    203: (
        ("endpoint", status(404, X_Error_Code="EntryNotFound")),
        "is not in that revision; see {page}/tree/main and make the lock anew",
    ),
    204: (
        ("endpoint", status(404, X_Error_Code="RevisionNotFound")),
        "there is no such revision; choose one from {page}/commits/main",
    ),
    205: (
        ("endpoint", status(401, X_Error_Code="RepoNotFound")),
        "there is no such repository, or it is private; check the name at {page}, and set HF_TOKEN",
    ),
    206: (
        ("storage", WRONG_BYTES),
        "the lock says {sha256}; run again, and distrust the network or HF_ENDPOINT",
    ),
    207: (
        ("storage", status(200, b"a page")),
        f"has 6 bytes at {{storage}}, the lock says {SHARD_BYTES}; make the lock anew",
    ),
    RESUMED: (
        ("storage", truncated(HALF), *[status(502, Retry_After="0")] * 4),
        "HTTP 502, 5 times in a row",
    ),
    FULL_DISK: (("storage",), "the disk is full; free some space and run again"),
}
"""The host and its faults, then what the build says, by the shard's seed."""


def misbehave(hub, faults: dict[int, tuple]) -> None:
    """Each shard, by its seed, meets a fault of its own on the host that is named before it."""
    for index, (seed, (host, *wrong)) in enumerate(faults.items()):
        path = f"*/params_shard_{index}.bin" if host == "endpoint" else f"*{digests(seed)[0]}*"
        hub.fail(host, path, *wrong)
