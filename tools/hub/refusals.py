"""What is said about an answer of the Hub that no further attempt would change."""

from __future__ import annotations

from tools.hub.client import Client, HttpError


def refusal(error: HttpError, client: Client, where: str) -> str | None:
    """Returns the line about a final refusal, or None where another attempt may succeed.

    Args:
        error: The answer.
        client: Who asked.
        where: What the line starts with: the repository, or one of its files.
    """
    if error.status in (408, 425, 429) or error.status >= 500:
        return None
    if not error.at_endpoint:
        return None  # a signed address that is no longer valid: the endpoint gives another
    settings = f"{client.endpoint}/settings/tokens"
    source = client.token.source if client.token else "HF_TOKEN"
    if error.code == "GatedRepo":
        if not error.with_token:
            return (
                f"{where}: the repository is gated; ask for access at {client.page}, then set "
                f"HF_TOKEN to a token from {settings}"
            )
        return (
            f"{where}: the repository is gated, and the token in {source} has no access; ask for "
            f"it at {client.page}, or set HF_TOKEN to a token of a user who has it"
        )
    if error.code == "RevisionNotFound":
        return f"{where}: there is no such revision; choose one from {client.page}/commits/main"
    if error.code == "EntryNotFound":
        return (
            f"{where}: is not in that revision; see {client.page}/tree/main and make the lock anew"
        )
    if error.code == "RepoNotFound" or (error.status == 401 and not error.with_token):
        if error.with_token:
            return (
                f"{where}: there is no such repository, or the token in {source} may not see it; "
                f"check the name at {client.page}, and HF_TOKEN"
            )
        return (
            f"{where}: there is no such repository, or it is private; check the name at "
            f"{client.page}, and set HF_TOKEN to a token from {settings} if it is private"
        )
    if error.status == 401:
        return (
            f"{where}: the token in {source} is not valid; set HF_TOKEN to a new one from "
            f"{settings}"
        )
    if error.status == 403:
        return (
            f"{where}: {error.host} refuses access (HTTP 403); see {client.page}, and set HF_TOKEN "
            f"to a token with access from {settings}"
        )
    if error.status == 404:
        return f"{where}: {error.host} has nothing there (HTTP 404); is HF_ENDPOINT a Hub?"
    return f"{where}: {error.host} answers {error}; see {client.page}"
