"""What upstream's scripts need of the machine: found out before the first of them starts."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.cli import UserError

_RUSTUP = "rustup: not on PATH; install it from rustup.rs"
_CMAKE = "cmake: not on PATH; install it (Debian: cmake, Homebrew: cmake)"

# Program, and the line that says that it is missing.
_PROGRAMS = {
    "android": {
        "cmake": _CMAKE,
        "javac": "javac: not on PATH; install a JDK (Debian: default-jdk-headless)",
        "python3": "python3: not on PATH; the one of the environment that has mlc_llm",
        "rustup": _RUSTUP,
    },
    "iphone": {
        "bash": "bash: not on PATH; install it",
        "cmake": _CMAKE,
        "rustup": _RUSTUP,
        "xcrun": "xcrun: not on PATH; build on a Mac with Xcode",
    },
}

_NDK_TOOLCHAIN = "build/cmake/android.toolchain.cmake"
_SCRIPTS = {"android": "android/mlc4j/prepare_libs.py", "iphone": "ios/prepare_libs.sh"}


def kind(device: str) -> str:
    """Returns whose script builds the runtime of a device: ``android`` or ``iphone``."""
    return "android" if device == "android" else "iphone"


def script(device: str, source: Path) -> Path:
    """Returns the script that builds the runtime."""
    return source / _SCRIPTS[kind(device)]


def check(device: str, source: Path, environment: Mapping[str, str], where: str) -> None:
    """Refuses a machine on which the script would fail after minutes.

    Args:
        device: What the runtime is for.
        source: mlc-llm's sources.
        environment: The variables that the script gets.
        where: The target that errors name.

    Raises:
        UserError: One line for everything that is missing.
    """
    path = environment.get("PATH", os.defpath)
    missing = [
        line
        for program, line in _PROGRAMS[kind(device)].items()
        if shutil.which(program, path=path) is None
    ]
    if not script(device, source).is_file():
        missing.append(f"{source}: has no {_SCRIPTS[kind(device)]}; give the sources of mlc-llm")
    elif not (source / "3rdparty/tokenizers-cpp/CMakeLists.txt").is_file():
        missing.append(f"{source}: has no submodules; git submodule update --init --recursive")
    if kind(device) == "android":
        missing += _android_problems(environment)
    elif "xcrun" not in "".join(missing):
        missing += _xcode_problems(device, environment)
    if missing:
        raise UserError("\n".join(f"{where}: {line}" for line in missing))


def _android_problems(environment: Mapping[str, str]) -> list[str]:
    ndk = environment.get("ANDROID_NDK")
    if not ndk:
        return ["ANDROID_NDK: not set; the NDK's directory, by --action_env=ANDROID_NDK=..."]
    if not (Path(ndk) / _NDK_TOOLCHAIN).is_file():
        return [f"ANDROID_NDK: {ndk} has no {_NDK_TOOLCHAIN}; expected the NDK's directory"]
    return []


def _xcode_problems(device: str, environment: Mapping[str, str]) -> list[str]:
    sdk = "iphoneos" if device == "iphone" else "macosx"
    command = ["xcrun", "--sdk", sdk, "--show-sdk-path"]
    done = subprocess.run(command, env=dict(environment), capture_output=True, check=False)
    if done.returncode:
        return [f"Xcode: has no SDK {sdk}; install Xcode, then xcode-select --switch"]
    return []
