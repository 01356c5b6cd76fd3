"""A program that behaves as adb does, with a directory as the device.

The environment tells: ``FAKE_DEVICE``, the directory; ``FAKE_DEVICES``, what ``devices`` lists;
``FAKE_LOG``, where the arguments of each call go; ``FAKE_FAIL``, a word whose calls fail;
``FAKE_NOISE``, what the device's shell prints first.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOTS = ("/data/local/tmp", "/storage/emulated/0")


def on_host(text: str) -> str:
    """Returns ``text`` with the device's paths in its directory."""
    for root in ROOTS:
        text = text.replace(root, os.environ["FAKE_DEVICE"] + root)
    return text


def main(arguments: list[str]) -> int:
    """Runs one command."""
    with open(os.environ["FAKE_LOG"], "a", encoding="utf-8") as log:
        log.write(" ".join(arguments) + "\n")
    fail = os.environ.get("FAKE_FAIL")
    if fail and any(fail in argument for argument in arguments):
        print("adb: error: failed to copy: No space left on device", file=sys.stderr)
        return 1
    if arguments == ["devices"]:
        print("List of devices attached")
        print(os.environ["FAKE_DEVICES"])
        return 0
    assert arguments[0] == "-s", arguments
    command, *rest = arguments[2:]
    if command == "push":
        target = Path(on_host(rest[1]))
        if not target.parent.is_dir():
            print(f"adb: error: remote {rest[1]}: No such file or directory", file=sys.stderr)
            return 1
        shutil.copyfile(rest[0], target)
        return 0
    assert command == "shell", arguments
    print(os.environ.get("FAKE_NOISE", ""), end="", flush=True)
    return subprocess.run(["sh", "-c", on_host(rest[0])], check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
