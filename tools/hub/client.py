"""Requests to the Hub: the user's token for the endpoint alone, through every redirect."""

from __future__ import annotations

import email.utils
import http.client
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

from tools.hub.settings import Token

_REPO_IN_PATH = re.compile(r"(?:/api/models)?/([^/]+/[^/]+)/(?:resolve|revision|tree)/")


class HttpError(Exception):
    """An answer that is not a success.

    Attributes:
        status: The HTTP status.
        code: The Hub's own word for it, such as ``GatedRepo``, or "".
        host: Who answered.
        at_endpoint: Whether that is the endpoint, and not a host it redirected to.
        retry_after: Seconds that the server asks to wait, or None.
        with_token: Whether the request had a token.
    """

    def __init__(self, error: urllib.error.HTTPError, at_endpoint: bool, with_token: bool) -> None:
        super().__init__(f"HTTP {error.code}")
        self.status = error.code
        self.code = error.headers.get("X-Error-Code") or ""
        self.host = host_of(error.url)
        self.at_endpoint = at_endpoint
        self.retry_after = _seconds(error.headers.get("Retry-After"))
        self.with_token = with_token


class Client:
    """Asks the Hub about one repository.

    Attributes:
        repo: ``org/repo``.
        endpoint: The Hub's address.
        token: The user's token, or None.
        timeout: Seconds without a byte after which a request has failed.
        renamed: What the endpoint calls the repository now, where it said so in a redirect.
    """

    def __init__(self, repo: str, endpoint: str, token: Token | None, timeout: float) -> None:
        self.repo = repo
        self.endpoint = endpoint
        self.token = token
        self.timeout = timeout
        self.renamed: str | None = None
        self._origin = _origin(endpoint)
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler(),
            urllib.request.HTTPHandler(),
            urllib.request.HTTPSHandler(),
            urllib.request.UnknownHandler(),
            urllib.request.HTTPDefaultErrorHandler(),
            urllib.request.HTTPErrorProcessor(),
            _Redirects(self),
        ):
            self._opener.add_handler(handler)

    @property
    def page(self) -> str:
        """The repository's page, for people."""
        return f"{self.endpoint}/{self.repo}"

    def api_url(self, what: str, revision: str) -> str:
        """Returns the address of the ``revision`` or ``tree`` API."""
        quoted = urllib.parse.quote(revision, safe="")
        return f"{self.endpoint}/api/models/{self.repo}/{what}/{quoted}"

    def file_url(self, commit: str, path: str) -> str:
        """Returns the address of a file at a commit."""
        return f"{self.endpoint}/{self.repo}/resolve/{commit}/{urllib.parse.quote(path)}"

    def open(self, url: str, offset: int = 0) -> http.client.HTTPResponse:
        """Makes one request, without a second attempt.

        Args:
            url: At the endpoint; at another host it goes without the token.
            offset: The first byte that is wanted.

        Raises:
            HttpError: The answer is no success.
            OSError: The network failed.
            http.client.HTTPException: The answer is not HTTP.
        """
        request = urllib.request.Request(url, headers={"User-Agent": "rules_mlc"})
        if offset:
            request.add_header("Range", f"bytes={offset}-")
        self.authorize(request)
        try:
            return self._opener.open(request, timeout=self.timeout)
        except urllib.error.HTTPError as error:
            error.close()
            at_endpoint = self.is_endpoint(error.url)
            raise HttpError(error, at_endpoint, bool(self.token) and at_endpoint) from None

    def is_endpoint(self, url: str) -> bool:
        """Whether scheme, host and port are the endpoint's."""
        return _origin(url) == self._origin

    def authorize(self, request: urllib.request.Request) -> None:
        """Adds the token where the request goes to the endpoint; a redirect does not copy it."""
        if self.token and self.is_endpoint(request.full_url):
            request.add_unredirected_header("Authorization", f"Bearer {self.token.value}")


class _Redirects(urllib.request.HTTPRedirectHandler):
    def __init__(self, client: Client) -> None:
        self._client = client

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request:
        """Returns the request that follows ``req``, with the token only for the endpoint."""
        if self._client.is_endpoint(newurl):
            match = _REPO_IN_PATH.match(urllib.parse.urlsplit(newurl).path)
            if match and match[1] != self._client.repo:
                self._client.renamed = match[1]
        request = urllib.request.Request(newurl, headers=dict(req.headers))
        self._client.authorize(request)
        return request

    # CPython 3.10 does not know it.
    http_error_308 = urllib.request.HTTPRedirectHandler.http_error_302


def host_of(url: str) -> str:
    """Returns host and port, which is as much of a signed address as may be shown."""
    return urllib.parse.urlsplit(url).netloc.rpartition("@")[2]


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urllib.parse.urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:  # An address that a server redirects to.
        return url, None, None
    return parts.scheme, parts.hostname, port


def _seconds(retry_after: str | None) -> float | None:
    if not retry_after:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())
