"""Which repository of the Hub a user means."""

from __future__ import annotations

import re

from tools.cli import UserError

DEFAULT_ENDPOINT = "https://huggingface.co"
"""Where the Hub is unless HF_ENDPOINT says otherwise."""

# The Hub's rule: letters, digits, `.`, `_` and `-`, at most 96 of them, a letter or digit first.
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}\Z", re.ASCII)


def is_repo(name: object) -> bool:
    """Whether ``name`` is ``org/repo`` in the characters that the Hub allows."""
    return isinstance(name, str) and bool(_REPO.match(name)) and ".." not in name


def parse(model: str, endpoint: str) -> str:
    """Returns ``org/repo`` of a model as users write it.

    Args:
        model: ``HF://org/repo``, ``org/repo``, or the address of its page at the endpoint;
            addresses at https://huggingface.co count as such at every endpoint.
        endpoint: The Hub that is asked, such as ``https://huggingface.co``.

    Raises:
        UserError: It is none of these, or a page of another host.
    """
    name = model
    if model[:5].lower() == "hf://":
        name = model[5:]
    elif "://" in model:
        hosts = [endpoint, DEFAULT_ENDPOINT]
        found = next((host for host in hosts if model.startswith(host + "/")), None)
        if found is None:
            scheme, _, rest = model.partition("://")
            host = rest.partition("/")[0].rpartition("@")[2]
            raise UserError(
                f"{model}: is not at the endpoint {endpoint}; write HF://org/repo, and set "
                f"HF_ENDPOINT={scheme}://{host} to use that host"
            )
        name = model[len(found) + 1 :]
    name = name.rstrip("/")
    if not is_repo(name):
        raise UserError(
            f"{model}: is not a model of the Hub; expected HF://org/repo, {endpoint}/org/repo "
            "or org/repo"
        )
    return name
