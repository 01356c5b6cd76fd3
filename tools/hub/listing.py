"""What is in a revision of a repository: the Hub's revision and tree APIs."""

from __future__ import annotations

import dataclasses
import http.client
import json
import re
from collections.abc import Iterator
from typing import Any

from tools.cli import UserError
from tools.hub import hub_path
from tools.hub.attempts import TRANSIENT, Attempts
from tools.hub.client import Client

COMMIT = re.compile(r"[0-9a-f]{40}\Z")
"""A commit's id."""

SHA256 = re.compile(r"[0-9a-f]{64}\Z")
"""A digest."""

_NEXT = re.compile(r'<([^>]*)>[^,]*;\s*rel="?next"?')
_LONGEST_ANSWER = 64 << 20  # bytes; a page of the tree API has 1000 entries, below 1 MiB


@dataclasses.dataclass(frozen=True)
class Listed:
    """A file as the tree API lists it.

    Attributes:
        path: Relative to the repository.
        nbytes: Its size.
        sha256: Known for files in the large storage alone.
        blob_id: git's id of the content, where ``sha256`` is None.
    """

    path: str
    nbytes: int
    sha256: str | None
    blob_id: str


def resolve(client: Client, revision: str) -> str:
    """Returns the commit that a branch, a tag or a commit names now.

    Raises:
        UserError: There is no such revision, or the repository cannot be read.
    """
    if COMMIT.match(revision):
        return revision
    value, _ = _get(client, client.api_url("revision", revision), f"{client.repo}: {revision}")
    commit = value.get("sha") if isinstance(value, dict) else None
    if not isinstance(commit, str) or not COMMIT.match(commit):
        raise _not_the_api(client)
    return commit


def files(client: Client, commit: str) -> Iterator[Listed]:
    """Yields every file of a commit, page by page.

    Raises:
        UserError: The commit cannot be listed, or the answer is not that of the API.
    """
    url: str | None = f"{client.api_url('tree', commit)}?recursive=true&expand=false"
    visited: set[str] = set()
    while url:
        visited.add(url)
        entries, url = _get(client, url, f"{client.repo}: {commit}")
        if not isinstance(entries, list) or url in visited:
            raise _not_the_api(client)
        for entry in entries:
            if not isinstance(entry, dict):
                raise _not_the_api(client)
            if entry.get("type") == "file":
                yield _listed(client, entry)


def _listed(client: Client, entry: dict[str, Any]) -> Listed:
    lfs = entry.get("lfs")
    large = lfs if isinstance(lfs, dict) else {}
    path, blob_id = entry.get("path"), entry.get("oid")
    nbytes, sha256 = large.get("size", entry.get("size")), large.get("oid")
    if (
        not isinstance(path, str)
        or not (isinstance(nbytes, int) and nbytes >= 0)
        or not (isinstance(sha256, str) and SHA256.match(sha256) if large else True)
        or not (isinstance(blob_id, str) and COMMIT.match(blob_id))
    ):
        raise _not_the_api(client)
    return Listed(path, nbytes, sha256, blob_id)


def check_path(repo: str, path: str) -> None:
    """Refuses a path of the Hub that may not be used on a user's machine.

    Raises:
        UserError: See `hub_path.problem`.
    """
    wrong = hub_path.problem(path)
    if wrong:
        raise UserError(f"{repo}: the file {path!r} {wrong}; leave it out with --exclude")


def _get(client: Client, url: str, where: str) -> tuple[Any, str | None]:
    """Returns the JSON of an answer, and the address of the next page."""
    attempts = Attempts(client, where)
    while True:
        try:
            with client.open(url) as response:
                data = response.read(_LONGEST_ANSWER)
                if response.length:
                    raise http.client.IncompleteRead(data)
                link = _NEXT.search(", ".join(response.headers.get_all("Link") or []))
                break
        except TRANSIENT as error:
            attempts.failed(error)
    try:
        return json.loads(data), link[1] if link else None
    except (ValueError, RecursionError):
        raise _not_the_api(client) from None


def _not_the_api(client: Client) -> UserError:
    return UserError(
        f"{client.repo}: {client.endpoint} does not answer as a Hub does; check HF_ENDPOINT"
    )
