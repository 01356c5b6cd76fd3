"""The first host: the API that lists repositories, and the addresses of their files."""

from __future__ import annotations

import re
import urllib.parse

from tests.hub.handler import HubHandler
from tests.hub.repository import Repository, git_blob_id, sha256
from tests.hub.storage import SIGNATURE

_API = re.compile(r"/api/models/([^/]+/[^/]+)/(revision|tree)/([^/]+)")
_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_RESOLVE_CACHE = re.compile(r"/api/resolve-cache/models/([^/]+/[^/]+)/([^/]+)/(.+)")


class EndpointHandler(HubHandler):
    """Lists repositories and serves their small files; redirects to the storage for large ones."""

    host = "endpoint"

    def answer(self) -> None:
        """Answers a request."""
        url = urllib.parse.urlsplit(self.path)
        query = {name: values[-1] for name, values in urllib.parse.parse_qs(url.query).items()}
        if match := _API.fullmatch(url.path):
            name, what, revision = match.groups()
        elif match := _RESOLVE_CACHE.fullmatch(url.path) or _RESOLVE.fullmatch(url.path):
            name, revision, path = match.groups()
            what = "cached" if url.path.startswith("/api/") else "resolve"
        else:
            self.send(404, b"Not Found")
            return
        if name in self.hub.renamed:
            moved = self.path.replace(f"/{name}/", f"/{self.hub.renamed[name]}/", 1)
            self.send(307, b"", {"Location": moved})
            return
        repository = self._readable(name, what)
        if repository is None:
            return
        commit = repository.find(urllib.parse.unquote(revision))
        if commit is None:
            self.send_error_code(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        elif what == "revision":
            self.send_json({"id": name, "modelId": name, "sha": commit, "siblings": []})
        elif what == "tree":
            self._tree(repository, commit, url.path, query)
        else:
            self._file(repository, commit, urllib.parse.unquote(path), what)

    def _readable(self, name: str, what: str) -> Repository | None:
        """Returns the repository, or answers why it cannot be read."""
        repository = self.hub.repositories.get(name)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token not in self.hub.tokens:
            message = "Invalid credentials in Authorization header"
            self.send_error_code(401, "", message)
        elif repository is None or (repository.access == "private" and not token):
            # A private repository looks like a missing one.
            self.send_error_code(404 if token else 401, "RepoNotFound", "Repository not found")
        elif repository.access == "public" or token in repository.readers:
            return repository
        elif repository.access == "private":
            self.send_error_code(404, "RepoNotFound", "Repository not found")
        elif what in ("revision", "tree"):  # a gated repository may be listed by anyone
            return repository
        else:
            message = f"Access to model {name} is restricted."
            self.send_error_code(403 if token else 401, "GatedRepo", message)
        return None

    def _tree(self, repository: Repository, commit: str, path: str, query: dict[str, str]) -> None:
        entries = repository.tree(commit)
        if query.get("recursive", "").lower() not in ("1", "true"):
            entries = [entry for entry in entries if "/" not in str(entry["path"])]
        first = int(query.get("cursor", "0"))
        following = first + self.hub.page_size
        headers = {}
        if following < len(entries):
            more = urllib.parse.urlencode({**query, "cursor": following})
            headers["Link"] = f'<{self.hub.url}{path}?{more}>; rel="next"'
        self.send_json(entries[first:following], headers)

    def _file(self, repository: Repository, commit: str, path: str, what: str) -> None:
        data = repository.commits[commit].get(path)
        headers = {"X-Repo-Commit": commit}
        if data is None:
            self.send_error_code(404, "EntryNotFound", "Entry not found")
        elif what == "cached":
            self.send_file(data, {**headers, "ETag": f'"{git_blob_id(data)}"'})
        elif repository.is_large(path):
            headers["X-Linked-Etag"] = f'"{sha256(data)}"'
            headers["X-Linked-Size"] = str(len(data))
            query = urllib.parse.urlencode({"signature": SIGNATURE})
            headers["Location"] = f"{self.hub.storage_url}/blobs/{sha256(data)}?{query}"
            if repository.xet:
                headers["X-Xet-Hash"] = sha256(b"xet" + data)
                route = f"{self.hub.url}/api/models/{repository.name}/xet-read-token/{commit}"
                headers["Link"] = f'<{route}>; rel="xet-auth"'
            self.send(302, b"", headers)
        else:
            headers["ETag"] = f'"{git_blob_id(data)}"'
            quoted = urllib.parse.quote(path)
            headers["Location"] = f"/api/resolve-cache/models/{repository.name}/{commit}/{quoted}"
            self.send(307, b"", headers)
