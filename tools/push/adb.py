"""Commands on an Android device, by the program adb."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Sequence

from tools.cli import UserError

_HASHES_AT_ONCE = 50


class Device:
    """One device."""

    def __init__(self, program: str, serial: str | None) -> None:
        """Finds the device.

        Args:
            program: adb's name or path.
            serial: Which device, as ``adb devices`` names it; None for the only one.

        Raises:
            UserError: There is no adb, no device, or the choice between several is open.
        """
        found = shutil.which(program)
        if found is None:
            raise UserError(
                f"adb: no program {program}; install Android's platform-tools and put them on "
                "PATH, or give --adb"
            )
        self._command = [found]
        ready, others = self._devices()
        if serial is None and len(ready) != 1:
            raise UserError(self._choice(ready, others))
        if serial is not None and serial not in ready:
            state = f"is {others[serial]}" if serial in others else "is not connected"
            listing = ", ".join(ready) or "none"
            raise UserError(f"--serial: the device {serial} {state}; ready: {listing}")
        self._command = [found, "-s", serial or ready[0]]

    def shell(self, command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command of the device's shell."""
        return self._run("shell", command)

    def check(self, what: str, *arguments: str) -> str:
        """Runs adb; returns its output.

        Raises:
            UserError: It failed while doing ``what``.
        """
        done = self._run(*arguments)
        if done.returncode:
            lines = (done.stderr.strip() or done.stdout.strip() or "no reason given").splitlines()
            raise UserError(f"adb: {what} failed: {lines[-1]}")
        return done.stdout

    def sizes(self, directory: str) -> dict[str, int]:
        """Returns path below ``directory`` and bytes of each file; none where it is missing."""
        where = shlex.quote(directory)
        done = self.shell(f"cd {where} 2>/dev/null && find . -type f -exec stat -c '%s %n' {{}} +")
        # Old devices print errors there, too.
        pairs = (line.partition(" ") for line in done.stdout.splitlines())
        return {path.removeprefix("./"): int(size) for size, _, path in pairs if size.isdecimal()}

    def sha256(self, directory: str, paths: Sequence[str]) -> dict[str, str] | None:
        """Returns the digest of each readable file; None where the device has no sha256sum."""
        result = {}
        for start in range(0, len(paths), _HASHES_AT_ONCE):
            quoted = " ".join(shlex.quote(path) for path in paths[start : start + _HASHES_AT_ONCE])
            done = self.shell(f"cd {shlex.quote(directory)} && sha256sum {quoted}")
            lines = [line.split("  ", 1) for line in done.stdout.splitlines() if "  " in line]
            if not lines:
                return None
            result.update({path: digest for digest, path in lines})
        return result

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self._command, *arguments], capture_output=True, text=True, check=False
        )

    def _devices(self) -> tuple[list[str], dict[str, str]]:
        """Returns the devices that are ready, and the state of each other one."""
        lines = self.check("listing devices", "devices").splitlines()[1:]
        states = dict(line.split("\t")[:2] for line in lines if "\t" in line)
        ready = [name for name, state in states.items() if state == "device"]
        return ready, {name: state for name, state in states.items() if state != "device"}

    @staticmethod
    def _choice(ready: list[str], others: dict[str, str]) -> str:
        if ready:
            return f"adb: {len(ready)} devices are connected: {', '.join(ready)}; give --serial"
        found = ", ".join(f"{name} is {state}" for name, state in others.items())
        found = found or "none is connected"
        return f"adb: no device is ready: {found}; connect one and allow USB debugging on it"
