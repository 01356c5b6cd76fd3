"""The second host: large files by sha256, for whoever holds a signed address."""

from __future__ import annotations

import urllib.parse

from tests.hub.handler import HubHandler
from tests.hub.repository import sha256

SIGNATURE = "signed-for-one-hour"


class StorageHandler(HubHandler):
    """``/blobs/<sha256>?signature=...``."""

    host = "storage"

    def answer(self) -> None:
        """Answers a request."""
        url = urllib.parse.urlsplit(self.path)
        name = url.path.rpartition("/")[2]
        if urllib.parse.parse_qs(url.query).get("signature") != [SIGNATURE]:
            self.send(403, b"the signature is wrong")
            return
        for repository in self.hub.repositories.values():
            for files in repository.commits.values():
                for data in files.values():
                    if sha256(data) == name:
                        self.send_file(data, {"ETag": f'"{name}"'})
                        return
        self.send(404, b"no such file")
