"""Fetches the wheels of the private Bazel with pip, as pip is configured on this machine."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from .errors import LauncherError
from .progress import say

REQUIREMENTS = Path(__file__).parent / "prefix/requirements.txt"


def check_pip() -> None:
    """Checks that this Python has pip, before anything slow.

    Raises:
        LauncherError: It has not.
    """
    if importlib.util.find_spec("pip") is None:
        raise LauncherError(f"pip missing: {sys.executable} has no pip; install python3-pip")


def fetch_wheels(folder: Path, requirements: Path = REQUIREMENTS) -> dict[str, Path]:
    """Returns the wheels of a hash-locked requirements file by project name.

    pip is asked only for what ``folder`` does not hold yet, and checks the hashes.

    Args:
        folder: Where wheels are kept; created.
        requirements: A requirements file in which everything has a hash.

    Raises:
        LauncherError: pip failed.
    """
    hashes = _locked_hashes(requirements)
    found = _find(folder, hashes)
    if found.keys() == hashes.keys():
        return found
    say(f"downloading {' and '.join(sorted(hashes))} with pip")
    arguments = "--no-deps --only-binary :all: --require-hashes --disable-pip-version-check"
    command = [sys.executable, "-m", "pip", "download", *arguments.split()]
    # pip's progress goes to stderr: stdout belongs to Bazel.
    done = subprocess.run(
        [*command, "--dest", folder, "--requirement", requirements],
        stdout=sys.stderr,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    found = _find(folder, hashes)
    if done.returncode or found.keys() != hashes.keys():
        raise LauncherError(_reason(done.stderr))
    return found


def _locked_hashes(requirements: Path) -> dict[str, set[str]]:
    text = requirements.read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {
        line.split("==", 1)[0]: set(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
        for line in lines
    }


def _find(folder: Path, hashes: dict[str, set[str]]) -> dict[str, Path]:
    found = {}
    for path in sorted(folder.glob("*.whl")):
        name = path.name.split("-", 1)[0]
        if hashlib.sha256(path.read_bytes()).hexdigest() in hashes.get(name, ()):
            found[name] = path
    return found


def _reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    reason = (errors or lines[-1:] or ["no message"])[0]
    if "DO NOT MATCH THE HASHES" in stderr:
        return "sha256 mismatch: pip: a downloaded wheel is not the one of the lock"
    if "No space left" in stderr:
        return f"disk full: pip: {reason}"
    if "connection" in stderr.lower() or "name resolution" in stderr:
        return f"no network: pip: {reason}"
    return f"pip failed: {reason}"
