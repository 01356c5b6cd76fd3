"""Whether the ``model`` of an entry is a model of the Hub or a local directory."""

from __future__ import annotations

from tools.hub.model_name import DEFAULT_ENDPOINT, is_repo

_EXPECTED = "expected HF://org/repo or the directory of a converted model"


def repo(model: str) -> str | None:
    """Returns ``org/repo`` of a model of the Hub, or None for a directory."""
    page = f"{DEFAULT_ENDPOINT}/"
    if model[:5].lower() == "hf://":
        return model[5:].rstrip("/")
    return model[len(page) :].rstrip("/") if model.startswith(page) else None


def problem(model: str) -> str | None:
    """Returns what is wrong with the ``model`` of an entry, or None."""
    name = repo(model)
    if name is not None:
        return None if is_repo(name) else f'"{model}" names no repository; {_EXPECTED}'
    if "://" in model:
        return f'"{model}" is an address that no app downloads from; {_EXPECTED}'
    return None
