"""Which file names of a repository may be used on a user's machine."""

from __future__ import annotations

from tools.config.plain_name import path_problem

# Files that make Bazel read a directory in another way.
_BAZEL = {
    "build",
    "build.bazel",
    "module.bazel",
    "repo.bazel",
    "vendor.bazel",
    "workspace",
    "workspace.bazel",
    "workspace.bzlmod",
}
# Windows opens these devices whatever the directory and the suffix.
_DEVICES = {"aux", "con", "nul", "prn"} | {f"{n}{i}" for n in ("com", "lpt") for i in range(1, 10)}


def problem(path: object) -> str | None:
    """Returns what is wrong with ``path`` as the name of a file from the Hub, or None.

    Refused are names that leave their directory or are absolute, a backslash, control
    characters, and names with a meaning of their own to git, Bazel or Windows.
    """
    wrong = path_problem(path)
    if wrong or not isinstance(path, str):
        return wrong
    for part in path.split("/"):
        folded = part.casefold()
        if folded in _BAZEL or folded == ".git":
            return f"contains the reserved name {part}"
        if folded.partition(".")[0].rstrip() in _DEVICES:
            return f"contains the reserved name {part}"
        if ":" in part:
            return "contains a colon"
    return None
