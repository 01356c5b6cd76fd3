"""Fetches one file that a lock names: from this machine where it lies here, else from the Hub."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from tools import cli
from tools.cli import UserError
from tools.config import strict_json
from tools.hub import caches, hub_path, settings
from tools.hub.client import Client
from tools.hub.download import download
from tools.hub.listing import COMMIT, SHA256
from tools.hub.model_name import is_repo
from tools.hub.partial import Partial


@dataclasses.dataclass(frozen=True)
class Source:
    """Where the Hub has a file.

    Attributes:
        repo: ``org/repo``.
        commit: 40 hexadecimal digits.
        path: Relative to the repository.
    """

    repo: str
    commit: str
    path: str

    def __str__(self) -> str:
        return f"{self.repo}: {self.path} at {self.commit[:12]}"

    def check(self) -> None:
        """Refuses what no lock may say.

        Raises:
            UserError: Names the option.
        """
        _check("--repo", self.repo, is_repo(self.repo), "org/repo")
        _check("--commit", self.commit, COMMIT.match(self.commit), "40 hexadecimal digits")
        wrong = hub_path.problem(self.path)
        if wrong:
            raise UserError(f"--path: {self.path!r} {wrong}; expected a file of a lock")


@dataclasses.dataclass(frozen=True)
class File:
    """A file of a lock: its bytes, and every place that has them.

    Attributes:
        sha256: 64 hexadecimal digits.
        nbytes: Its size.
        sources: In the order in which they are asked; at least one.
    """

    sha256: str
    nbytes: int
    sources: Sequence[Source]

    def check(self) -> None:
        """Refuses what no lock may say.

        Raises:
            UserError: Names the option.
        """
        _check("--sha256", self.sha256, SHA256.match(self.sha256), "64 hexadecimal digits")
        _check("--nbytes", self.nbytes, self.nbytes >= 0, "a number of bytes")
        for source in self.sources:
            source.check()


def load_sources(path: str) -> list[Source]:
    """Reads ``[{"repo", "commit", "path"}, ...]``.

    Raises:
        UserError: It is something else.
    """
    value = strict_json.load(path)
    names = {field.name for field in dataclasses.fields(Source)}
    if (
        not isinstance(value, list)
        or not value
        or not all(isinstance(one, dict) and one.keys() == names for one in value)
        or not all(isinstance(text, str) for one in value for text in one.values())
    ):
        raise UserError(f"{path}: expected a list of objects with repo, commit and path")
    return [Source(**one) for one in value]


def sources_beside(beside: str | os.PathLike[str], sha256: str) -> Path:
    """Returns where the sources of a file are, which a build knows and has in no action's key.

    Args:
        beside: A link to, or the file in whose directory they are.
        sha256: The file's digest.

    Raises:
        UserError: They are not there: this is another machine than the build's.
    """
    path = Path(beside).resolve().with_name("sources") / f"{sha256}.json"
    if not path.is_file():
        raise UserError(
            f"{path}: is missing; a fetch runs on the machine of the build: "
            "--strategy=MlcFetch=local"
        )
    return path


def fetch(
    file: File,
    output: Path,
    environment: Mapping[str, str],
    partial_dir: Path | None = None,
    cache_dirs: Sequence[str] = (),
) -> None:
    """Writes the file to ``output``, verified and whole, or leaves ``output`` as it is.

    Args:
        file: What to fetch.
        output: Where to.
        environment: See `settings` and `caches.candidates`.
        partial_dir: Where a broken-off download waits for a later run, and a link says where
            the last run put the file, for others to copy it; ``output``'s directory, and no
            such link, where None.
        cache_dirs: See `caches.candidates`.

    Raises:
        UserError: One line about what went wrong.
    """
    file.check()
    link = partial_dir / file.sha256 if partial_dir else None
    with Partial((partial_dir or output.parent) / f".{file.sha256}.part") as partial:
        for path in _cached(file, link, cache_dirs, environment):
            if caches.copy(path, output, file.nbytes, file.sha256):
                partial.clear()
                break
        else:
            _download(file, partial, environment)
            partial.become(output)
        if link:
            _point(link, output)


def _cached(
    file: File, link: Path | None, directories: Sequence[str], environment: Mapping[str, str]
) -> Iterable[Path]:
    if link:
        yield link
    for source in file.sources:
        yield from caches.candidates(
            source.repo, source.commit, source.path, file.sha256, directories, environment
        )


def _download(file: File, partial: Partial, environment: Mapping[str, str]) -> None:
    """Completes ``partial`` from the first source that has the file."""
    if settings.is_offline(environment):
        raise UserError(
            f"{file.sources[0]}: is in no cache of this machine, and HF_HUB_OFFLINE is set; unset "
            "it, or name a cache in HF_HOME or MLC_LLM_READONLY_WEIGHT_CACHE"
        )
    partial.check_room(file.nbytes)
    endpoint, token = settings.endpoint(environment), settings.token(environment)
    first: UserError | None = None
    for source in file.sources:
        client = Client(source.repo, endpoint, token, settings.timeout(environment))
        url = client.file_url(source.commit, source.path)
        try:
            download(client, url, str(source), file.nbytes, file.sha256, partial)
        except UserError as error:
            first = first or error
            continue
        if client.renamed:
            cli.warn(
                f"{source.repo}: the repository is called {client.renamed} now; "
                f"write HF://{client.renamed} and make the lock anew"
            )
        return
    if first:
        raise first


def _point(link: Path, output: Path) -> None:
    """Makes ``link`` lead to ``output``; others do without it where it cannot be made."""
    temporary = link.with_name(f".{link.name}.{secrets.token_hex(6)}.tmp")
    with contextlib.suppress(OSError):
        temporary.symlink_to(output.absolute())
        os.replace(temporary, link)


def _check(option: str, value: object, good: object, expected: str) -> None:
    if not good:
        raise UserError(f"{option}: {value!r} is not what a lock has; expected {expected}")
