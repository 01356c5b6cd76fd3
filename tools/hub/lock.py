"""Makes the entry of one model in a lock."""

from __future__ import annotations

import concurrent.futures
import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

from tools.cli import UserError
from tools.config import strict_json
from tools.config.plain_name import problem
from tools.hub import listing, lock_file, model_name, patterns, settings
from tools.hub.client import Client
from tools.hub.hashing import sha256_of
from tools.hub.progress import Progress

_CONNECTIONS = 8


@dataclasses.dataclass(frozen=True)
class Model:
    """What a user wants to pin.

    Attributes:
        model: See `model_name.parse`.
        revision: A branch, a tag, or a commit.
        include: See `patterns.select`.
        exclude: See `patterns.select`.
        name: The entry's name in the lock; the repository's where None.
        lock: The lock.
    """

    model: str
    revision: str = "main"
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    name: str | None = None
    lock: str = "mlc.lock.json"


def load_models(path: str) -> list[Model]:
    """Reads a list of objects with the attributes of `Model`.

    Raises:
        UserError: It is something else.
    """
    value = strict_json.load(path)
    names = {field.name for field in dataclasses.fields(Model)}
    if not isinstance(value, list) or not all(
        isinstance(one, dict) and "model" in one and names.issuperset(one) for one in value
    ):
        raise UserError(f"{path}: expected a list of objects with {', '.join(sorted(names))}")
    return [Model(**one) for one in value]


def lock(
    model: Model, root: str | os.PathLike[str], environment: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """Writes the model's entry into its lock, and keeps the others.

    Args:
        model: What to pin.
        root: The directory that ``model.lock`` is relative to.
        environment: See `settings`.

    Returns:
        The entry's name, and the entry.

    Raises:
        UserError: The lock is not one, or the Hub does not say what is in the model.
    """
    path = os.path.join(root, model.lock)
    endpoint = settings.endpoint(environment)
    repo = model_name.parse(model.model, endpoint)
    name = repo.rpartition("/")[2] if model.name is None else model.name
    if problem(name):
        raise UserError(f"--name: {name!r} {problem(name)}; expected a plain name")
    if settings.is_offline(environment):
        raise UserError(
            f"{repo}: HF_HUB_OFFLINE is set, and only the Hub says what is in a model; unset it"
        )
    # A mistake in it is found before anything is downloaded.
    lock_file.load(path)
    client = Client(repo, endpoint, settings.token(environment), settings.timeout(environment))
    commit = listing.resolve(client, model.revision)
    listed = _listed(client, commit, model)
    entry = {
        "repo": repo,
        "revision": model.revision,
        "include": list(model.include),
        "exclude": list(model.exclude),
        "commit": commit,
        "files": _pinned(client, commit, listed),
    }
    lock_file.save(path, {**lock_file.load(path), name: entry})
    return name, entry


def _listed(client: Client, commit: str, model: Model) -> list[listing.Listed]:
    files = list(listing.files(client, commit))
    if client.renamed:
        raise UserError(
            f"{client.repo}: the repository is called {client.renamed} now; "
            f"write HF://{client.renamed}"
        )
    wanted = patterns.select(
        client.repo, (file.path for file in files), model.include, model.exclude
    )
    selected = [file for file in files if file.path in wanted]
    for file in selected:
        listing.check_path(client.repo, file.path)
    if len(selected) != len(wanted):
        raise UserError(f"{client.repo}: the listing names a file twice; run again")
    return selected


def _pinned(client: Client, commit: str, files: list[listing.Listed]) -> list[dict[str, Any]]:
    pool = concurrent.futures.ThreadPoolExecutor(_CONNECTIONS)
    with Progress(f"locking {client.repo}", len(files)) as progress:

        def pin(file: listing.Listed) -> dict[str, Any]:
            sha256 = file.sha256 or sha256_of(client, commit, file)
            progress.advance()
            return {"path": file.path, "sha256": sha256, "nbytes": file.nbytes}

        try:
            return list(pool.map(pin, files))
        finally:
            pool.shutdown(cancel_futures=True)
