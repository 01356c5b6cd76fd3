"""The launcher's own failures."""

from __future__ import annotations

EXIT_STATUS = 69
"""Exit status of every failure of the launcher itself (EX_UNAVAILABLE of sysexits.h).

Bazel uses none of it, so a caller can tell "no Bazel could be started" from what Bazel says.
"""


class LauncherError(Exception):
    """A failure the user can mend; ``str(e)`` is the one line shown after ``bazelw: error: ``."""
