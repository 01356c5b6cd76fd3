"""Fetches one file that a lock names: from this machine where it lies here, else from the Hub."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools import cli
from tools.cli import UserError
from tools.hub import caches, hub_path, settings
from tools.hub.client import Client
from tools.hub.download import download
from tools.hub.listing import COMMIT, SHA256
from tools.hub.model_name import is_repo
from tools.hub.partial import Partial


@dataclasses.dataclass(frozen=True)
class File:
    """A file of a lock.

    Attributes:
        repo: ``org/repo``.
        commit: 40 hexadecimal digits.
        path: Relative to the repository.
        sha256: 64 hexadecimal digits.
        nbytes: Its size.
    """

    repo: str
    commit: str
    path: str
    sha256: str
    nbytes: int

    def check(self) -> None:
        """Refuses what no lock may say.

        Raises:
            UserError: Names the option.
        """
        for option, value, good, expected in (
            ("--repo", self.repo, is_repo(self.repo), "org/repo"),
            ("--commit", self.commit, COMMIT.match(self.commit), "40 hexadecimal digits"),
            ("--sha256", self.sha256, SHA256.match(self.sha256), "64 hexadecimal digits"),
            ("--nbytes", self.nbytes, self.nbytes >= 0, "a number of bytes"),
        ):
            if not good:
                raise UserError(f"{option}: {value!r} is not what a lock has; expected {expected}")
        wrong = hub_path.problem(self.path)
        if wrong:
            raise UserError(f"--path: {self.path!r} {wrong}; expected a file of a lock")


def fetch(
    file: File,
    output: Path,
    endpoint: str,
    environment: Mapping[str, str],
    partial_dir: Path | None = None,
    cache_dirs: Sequence[str] = (),
) -> None:
    """Writes the file to ``output``, verified and whole, or leaves ``output`` as it is.

    Args:
        file: What to fetch.
        output: Where to.
        endpoint: The Hub's address.
        environment: See `settings` and `caches.candidates`.
        partial_dir: Where a broken-off download waits for a later run, under the sha256;
            ``output``'s directory where None.
        cache_dirs: See `caches.candidates`.

    Raises:
        UserError: One line about what went wrong.
    """
    file.check()
    for path in caches.candidates(
        file.repo, file.commit, file.path, file.sha256, cache_dirs, environment
    ):
        if caches.copy(path, output, file.nbytes, file.sha256):
            return
    where = f"{file.repo}: {file.path} at {file.commit[:12]}"
    if settings.is_offline(environment):
        raise UserError(
            f"{where}: is in no cache of this machine, and HF_HUB_OFFLINE is set; unset it, or "
            "name a cache in HF_HOME or MLC_LLM_READONLY_WEIGHT_CACHE"
        )
    client = Client(file.repo, endpoint, settings.token(environment), settings.timeout(environment))
    url = client.file_url(file.commit, file.path)
    name = f".{file.sha256}.part"
    with Partial((partial_dir or output.parent) / name) as partial:
        download(client, url, where, file.nbytes, file.sha256, partial)
        partial.become(output)
    if client.renamed:
        cli.warn(
            f"{file.repo}: the repository is called {client.renamed} now; "
            f"write HF://{client.renamed} and make the lock anew"
        )
