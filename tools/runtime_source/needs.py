"""What upstream's scripts need of the machine: found out before the first of them starts."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tools.cli import UserError

RUNTIMES = {
    "android": "android",
    "android:adreno": "android",
    "iphone": "iphone",
    "macabi": "macabi",
    "macabi:x86_64": "macabi:x86_64",
}
"""The devices that upstream has a runtime for, and the device that the runtime is called by."""

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

# What the scripts have rustup install.
_RUST_TARGETS = {
    "android": ["aarch64-linux-android"],
    "iphone": ["aarch64-apple-ios"],
    "macabi": ["aarch64-apple-ios", "aarch64-apple-ios-macabi"],
    "macabi:x86_64": ["aarch64-apple-ios", "x86_64-apple-ios-macabi"],
}

_NDK_TOOLCHAIN = "build/cmake/android.toolchain.cmake"
_SCRIPTS = {"android": "android/mlc4j/prepare_libs.py", "iphone": "ios/prepare_libs.sh"}

_FIND_MLC_LLM = """\
from importlib.util import find_spec
raise SystemExit(not find_spec("mlc_llm"))
"""

# Of TVM since 0.20, and before.
_TVM_HEADERS = ("include/tvm/runtime/base.h", "include/tvm/runtime/c_runtime_api.h")
_TVM_VERSION = re.compile(r'^#define TVM_VERSION "([^"]+)"', re.MULTILINE)


def kind(device: str) -> str:
    """Returns whose script builds the runtime of a device: ``android`` or ``iphone``."""
    return "android" if device == "android" else "iphone"


def script(device: str, source: Path) -> Path:
    """Returns the script that builds the runtime."""
    return source / _SCRIPTS[kind(device)]


def check(device: str, source: Path, environment: Mapping[str, str], where: str) -> str:
    """Refuses a machine on which the script would fail after minutes.

    Args:
        device: What the runtime is for: a value of `RUNTIMES`.
        source: mlc-llm's sources.
        environment: The variables that the script gets.
        where: The target that errors name.

    Returns:
        The version of the TVM that the runtime is built of, such as ``0.27.0``.

    Raises:
        UserError: One line for everything that is missing.
    """
    if kind(device) == "iphone" and "HOME" in environment:
        # Where the script looks first.
        found = f"{environment['HOME']}/.cargo/bin:{environment.get('PATH', os.defpath)}"
        environment = {**environment, "PATH": found}
    path = environment.get("PATH", os.defpath)
    programs = _PROGRAMS[kind(device)]
    absent = [program for program in programs if shutil.which(program, path=path) is None]
    missing = [programs[program] for program in absent]
    version = _tvm_version(source, environment)
    if not script(device, source).is_file():
        missing.append(f"{source}: has no {_SCRIPTS[kind(device)]}; give the sources of mlc-llm")
    elif not (source / "3rdparty/tokenizers-cpp/CMakeLists.txt").is_file():
        missing.append(f"{source}: has no submodules; git submodule update --init --recursive")
    elif not version:
        missing.append(f"{_tvm(source, environment)}: has no {_TVM_HEADERS[0]}; give TVM's sources")
    if "rustup" not in absent:
        missing += _rust_problems(device, environment)
    if kind(device) == "android":
        missing += _android_problems(environment, absent)
    elif "xcrun" not in absent:
        missing += _xcode_problems(device, environment)
    if missing:
        raise UserError("\n".join(f"{where}: {line}" for line in missing))
    return version


def _tvm(source: Path, environment: Mapping[str, str]) -> Path:
    return Path(environment.get("TVM_SOURCE_DIR") or source / "3rdparty/tvm")


def _tvm_version(source: Path, environment: Mapping[str, str]) -> str:
    """Returns what TVM's sources say of themselves; nothing where there are none."""
    for header in _TVM_HEADERS:
        path = _tvm(source, environment) / header
        found = _TVM_VERSION.search(path.read_text(encoding="utf-8")) if path.is_file() else None
        if found:
            return found[1]
    return ""


def _rust_problems(device: str, environment: Mapping[str, str]) -> list[str]:
    done = _run(["rustup", "target", "list"], environment)
    if done.returncode:
        return ["rustup: has no toolchain; rustup default stable"]
    known = [line.split()[0] for line in done.stdout.splitlines() if line.strip()]
    return [
        f"rustup: its toolchain has no target {target}; rustup update"
        for target in _RUST_TARGETS[device]
        if target not in known
    ]


def _android_problems(environment: Mapping[str, str], absent: list[str]) -> list[str]:
    problems = []
    find = ["python3", "-c", _FIND_MLC_LLM]
    if "python3" not in absent and _run(find, environment).returncode:
        problems.append(
            "python3: has no mlc_llm, which the script imports; put the one of an environment that "
            "has it first on PATH"
        )
    ndk = environment.get("ANDROID_NDK")
    if not ndk:
        problems.append(
            "ANDROID_NDK: not set; expected the NDK's directory (from Bazel: "
            "--action_env=ANDROID_NDK)"
        )
    elif not (Path(ndk) / _NDK_TOOLCHAIN).is_file():
        problems.append(f"ANDROID_NDK: {ndk} has no {_NDK_TOOLCHAIN}; expected the NDK's directory")
    return problems


def _xcode_problems(device: str, environment: Mapping[str, str]) -> list[str]:
    sdk = "iphoneos" if device == "iphone" else "macosx"
    if _run(["xcrun", "--sdk", sdk, "--show-sdk-path"], environment).returncode:
        return [f"Xcode: has no SDK {sdk}; install Xcode, then xcode-select --switch"]
    return []


def _run(command: list[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    program = shutil.which(command[0], path=environment.get("PATH", os.defpath)) or command[0]
    return subprocess.run(
        [program, *command[1:]],
        env=dict(environment),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
