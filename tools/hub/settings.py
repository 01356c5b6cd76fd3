"""What the environment says about the Hub, under the names that huggingface_hub gave them."""

from __future__ import annotations

import dataclasses
import os
import re
import urllib.parse
from collections.abc import Mapping

from tools.cli import UserError
from tools.hub.model_name import DEFAULT_ENDPOINT

_TRUE = ("1", "ON", "YES", "TRUE")
_TOKEN = re.compile(r"[\x21-\x7e]+\Z")
_TIMEOUT = 10.0  # seconds, as huggingface_hub has it


@dataclasses.dataclass(frozen=True)
class Token:
    """A token of a user of the Hub.

    Attributes:
        value: The secret; never part of what is shown.
        source: Where it is from, for messages: a variable's name, or a file.
    """

    value: str = dataclasses.field(repr=False)
    source: str


def endpoint(environment: Mapping[str, str]) -> str:
    """Returns HF_ENDPOINT, or the Hub's own address, without a slash at its end.

    Raises:
        UserError: HF_ENDPOINT is no http(s) address.
    """
    url = environment.get("HF_ENDPOINT", "").strip().rstrip("/") or DEFAULT_ENDPOINT
    if not _is_address(url):
        # Not shown: it may have a password in it.
        raise UserError(
            "HF_ENDPOINT: is not an address of a Hub; expected one such as https://huggingface.co, "
            "with nothing but a port and a path behind it"
        )
    return url


def is_offline(environment: Mapping[str, str]) -> bool:
    """Whether HF_HUB_OFFLINE forbids requests."""
    return environment.get("HF_HUB_OFFLINE", "").upper() in _TRUE


def timeout(environment: Mapping[str, str]) -> float:
    """Returns the seconds without a byte after which a request has failed.

    Raises:
        UserError: HF_HUB_DOWNLOAD_TIMEOUT is not a number above 0.
    """
    text = environment.get("HF_HUB_DOWNLOAD_TIMEOUT") or str(_TIMEOUT)
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e6:
        raise UserError(
            f"HF_HUB_DOWNLOAD_TIMEOUT: {text!r} is not a time; expected a number of seconds"
        )
    return seconds


def partial_dir(environment: Mapping[str, str]) -> str:
    """Returns the directory where broken-off downloads of this user wait for a later run."""
    return os.path.join(_cache(environment), "rules_mlc", "hub")


def home(environment: Mapping[str, str]) -> str:
    """Returns the directory that huggingface_hub keeps its files in."""
    if environment.get("HF_HOME"):
        return os.path.expanduser(environment["HF_HOME"])
    return os.path.join(_cache(environment), "huggingface")


def token(environment: Mapping[str, str]) -> Token | None:
    """Returns the user's token: HF_TOKEN, else the file HF_TOKEN_PATH, else HF_HOME/token.

    Raises:
        UserError: It has characters that no token has.
    """
    source = "HF_TOKEN"
    value = environment.get("HF_TOKEN", "").strip()
    if not value:
        source = environment.get("HF_TOKEN_PATH") or os.path.join(home(environment), "token")
        source = os.path.expanduser(source)
        try:
            with open(source, encoding="utf-8", errors="replace") as file:
                value = file.read(4096).strip()
        except OSError:
            return None
    if not value:
        return None
    if not _TOKEN.match(value):
        raise UserError(
            f"{source}: is not a token of the Hub; expected one line such as hf_..., from "
            f"{endpoint(environment)}/settings/tokens"
        )
    return Token(value, source)


def _is_address(url: str) -> bool:
    try:
        parts = urllib.parse.urlsplit(url)
        has_host = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:  # Brackets that do not match, or a port that is no number.
        return False
    return parts.scheme in ("http", "https") and has_host and not re.search(r"[@?#\s]", url)


def _cache(environment: Mapping[str, str]) -> str:
    return environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
