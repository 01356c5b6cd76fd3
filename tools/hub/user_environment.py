"""The user's variables, for a process that a build starts without them.

What a build hands to its actions is part of what their results are looked up by. A token, a proxy
or the place of a cache changes no fetched byte, so they come from a file that lies beside one of
the inputs and is none itself. Secrets are not in that file either: it names another one, which
the user alone can read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools import cli
from tools.cli import UserError
from tools.config import strict_json
from tools.hub import settings

NAME = "environment.json"
"""The file beside an input: ``{"variables": {name: value}, "private": path, "again": path}``."""

PUBLIC = (
    "HF_ENDPOINT",
    "HF_HOME",
    "HF_HUB_CACHE",
    "HF_HUB_DOWNLOAD_TIMEOUT",
    "HF_HUB_OFFLINE",
    "HF_TOKEN_PATH",
    "HOME",
    "MLC_LLM_READONLY_WEIGHT_CACHE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "XDG_CACHE_HOME",
)
"""Variables that may be read by others."""

PRIVATE = (
    "HF_TOKEN",
    *(f"{proxy}_proxy" for proxy in ("all", "http", "https", "no")),
    *(f"{proxy}_PROXY" for proxy in ("ALL", "HTTP", "HTTPS", "NO")),
)
"""Variables that are secret, or have a password in them."""


def keep(directory: Path, environment: Mapping[str, str]) -> Path:
    """Writes `NAME` into a directory, and a private file, which is removed where it is empty.

    Returns:
        The file that `ask_again` changes. It is beside the private one, in XDG_RUNTIME_DIR, else
        in the user's cache folder.
    """
    digest = hashlib.sha256(os.fsencode(directory.resolve())).hexdigest()[:16]
    private = _private_directory(environment) / f"environment-{digest}.json"
    again = private.with_suffix(".again")
    values = {name: environment[name] for name in PRIVATE if environment.get(name)}
    with contextlib.suppress(OSError):  # without a place for secrets there are none
        private.unlink(missing_ok=True)
        if values:
            _write_private(private, values)
    public = {name: environment[name] for name in PUBLIC if environment.get(name)}
    kept = {"variables": public, "private": str(private), "again": str(again)}
    cli.write_json(directory / NAME, kept)
    return again


def adopt(beside: str | os.PathLike[str]) -> None:
    """Sets the variables that `keep` kept beside the real file that ``beside`` leads to.

    Raises:
        UserError: There is a file of that name, and it is none of ours.
    """
    path = Path(beside).resolve().with_name(NAME)
    kept = _load(path)
    if kept:
        os.environ.update(_variables(path, kept.get("variables")))
        private = Path(kept["private"])
        with contextlib.suppress(FileNotFoundError):
            os.environ.update(_variables(private, strict_json.load(private)))
            os.utime(private)  # it is in use: `leftovers.remove` lets it be


def ask_again(beside: str | os.PathLike[str]) -> None:
    """Changes the file that whoever called `keep` watches, so that it calls it again.

    Raises:
        UserError: As `adopt`.
    """
    kept = _load(Path(beside).resolve().with_name(NAME))
    with contextlib.suppress(OSError):
        if kept:
            cli.write_text(kept["again"], secrets.token_hex(8) + "\n")


def _load(path: Path) -> dict[str, Any] | None:
    try:
        kept = strict_json.load(path)
    except FileNotFoundError:
        return None
    if not isinstance(kept, dict) or not all(
        isinstance(kept.get(name), str) for name in ("private", "again")
    ):
        raise UserError(f"{path}: expected an object with variables, private and again")
    return kept


def _private_directory(environment: Mapping[str, str]) -> Path:
    runtime = environment.get("XDG_RUNTIME_DIR", "")
    if os.path.isabs(runtime) and os.access(runtime, os.W_OK):
        return Path(runtime, "rules_mlc")
    return Path(settings.partial_dir(environment))


def _write_private(path: Path, values: Mapping[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}.tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(cli.json_text(values))
    os.replace(temporary, path)


def _variables(path: Path, value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise UserError(f"{path}: expected an object of variables and their values")
    return value
