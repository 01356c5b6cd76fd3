"""Whether a name from a file or a BUILD attribute is safe as the name of one file or directory."""

from __future__ import annotations

_LONGEST = 255  # bytes; the limit of ext4, APFS and Android's file system


def problem(name: object) -> str | None:
    """Returns what is wrong with ``name`` as a single path component, or None.

    Refused are names that leave their directory (``..``, ``/``, a backslash, which is a separator
    elsewhere), that name the directory itself, control characters, and names too long to create.
    """
    if not isinstance(name, str):
        return "is not a string"
    if not name:
        return "is empty"
    if name in (".", ".."):
        return "names a directory that is not its own"
    for bad, what in (("/", "a slash"), ("\\", "a backslash")):
        if bad in name:
            return f"contains {what}"
    if any(ord(character) < 32 or ord(character) == 127 for character in name):
        return "contains a control character"
    if any(0xD800 <= ord(character) < 0xE000 for character in name):
        return "is not valid Unicode"
    if len(name.encode("utf-8")) > _LONGEST:
        return f"is longer than {_LONGEST} bytes"
    return None


def path_problem(path: object) -> str | None:
    """Returns what is wrong with ``path`` as a relative path of plain names, or None."""
    if not isinstance(path, str):
        return "is not a string"
    if path.startswith("/"):
        return "is absolute"
    problems = (problem(part) for part in path.split("/"))
    return next((found for found in problems if found), None)
