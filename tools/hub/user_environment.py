"""The user's variables, for a process that was started without them.

What a build hands to its actions is part of what their results are looked up by. A token, a proxy
or the place of a cache changes no fetched byte, so they come from a file that is found beside
one of the inputs and is none itself.
"""

from __future__ import annotations

import os
from pathlib import Path

from tools.cli import UserError
from tools.config import strict_json

NAME = "environment.json"
"""The file: an object of variables and their values."""


def adopt(beside: str | os.PathLike[str]) -> None:
    """Sets the variables of `NAME` beside the real file that ``beside`` leads to, if it is there.

    Args:
        beside: A file, or a link to one.

    Raises:
        UserError: There is such a file, and it is none of ours.
    """
    path = Path(beside).resolve().with_name(NAME)
    try:
        variables = strict_json.load(path)
    except FileNotFoundError:
        return
    if not isinstance(variables, dict) or not all(isinstance(v, str) for v in variables.values()):
        raise UserError(f"{path}: expected an object of variables and their values")
    os.environ.update(variables)
