"""The machines that the private Bazel can be installed on."""

from __future__ import annotations

import dataclasses
import platform

from .errors import LauncherError


@dataclasses.dataclass(frozen=True)
class Machine:
    """A machine kind, by the names that Debian and the GNU loader have for it.

    Attributes:
        debian: Debian's name of the architecture, e.g. ``amd64``.
        triplet: The multiarch folder of its libraries, e.g. ``x86_64-linux-gnu``.
        loader: File name of the dynamic loader, e.g. ``ld-linux-x86-64.so.2``.
    """

    debian: str
    triplet: str
    loader: str


MACHINES = {
    "x86_64": Machine("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2"),
    "aarch64": Machine("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1"),
}
"""Supported machines by the name that ``uname -m`` has for them; the system is always Linux."""


def this_machine(system: str | None = None, architecture: str | None = None) -> Machine:
    """Returns the kind of this machine.

    Args:
        system: As ``uname -s`` prints it; asked of the machine where None.
        architecture: As ``uname -m`` prints it; asked of the machine where None.

    Raises:
        LauncherError: The private Bazel exists only for Linux on x86_64 and aarch64.
    """
    system = system or platform.system()
    architecture = architecture or platform.machine()
    if system != "Linux" or architecture not in MACHINES:
        known = " and ".join(MACHINES)
        raise LauncherError(
            f"unsupported machine: {system} on {architecture}; the private Bazel exists for Linux"
            f" on {known}: put bazelisk on PATH, or set MLC_BAZEL to a Bazel 7.4 or newer"
        )
    return MACHINES[architecture]
