"""Upstream's sources, of which ``mlc-package`` builds the runtime as `mlc_llm package` does."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.cli import UserError
from tools.mlc_package.settings import Settings
from tools.runtime_source import needs

# What the scripts, and the programs that they start, read; no proxies, which may hold a password:
# it would stand in an action's key.
VARIABLES = (
    "ANDROID_NDK",
    "CARGO_HOME",
    "HOME",
    "JAVA_HOME",
    "MLC_LLM_SOURCE_DIR",
    "MLC_MACABI_DEPLOYMENT_TARGET",
    "PATH",
    "RUSTUP_HOME",
    "TVM_SOURCE_DIR",
)

# Those of them that name directories, which the build has elsewhere where they are relative.
_DIRECTORIES = ("ANDROID_NDK", "CARGO_HOME", "JAVA_HOME", "RUSTUP_HOME", "TVM_SOURCE_DIR")


@dataclasses.dataclass(frozen=True)
class Sources:
    """Sources of mlc-llm that this machine can build.

    Attributes:
        directory: Where they are, an absolute path.
        version: Of their TVM.
        environment: The variables that a build needs besides the user's, or in their place.
    """

    directory: Path
    version: str
    environment: Mapping[str, str]

    @staticmethod
    def check(
        directory: Path, devices: Sequence[str], environment: Mapping[str, str]
    ) -> Sources | None:
        """Returns the sources; None where no device has a runtime that they make.

        Raises:
            UserError: Something is missing, of the sources or of the machine.
        """
        where = f"--mlc-llm-source-dir {directory}"
        problems, version = [], None
        for device in devices:
            try:
                version = needs.check(device, directory, environment, where)
            except UserError as error:
                problems += str(error).splitlines()
        if problems:
            raise UserError("\n".join(dict.fromkeys(problems)))
        named = [name for name in _DIRECTORIES if environment.get(name)]
        absolute = {name: os.path.abspath(environment[name]) for name in named}
        absolute["MLC_LLM_SOURCE_DIR"] = str(directory)
        return Sources(directory, version, absolute) if version else None


def devices(config: Path, chosen: Sequence[str], settings: Settings) -> list[str]:
    """Returns the devices with a runtime that a config asks for, before anything has checked it.

    Args:
        config: The package config. One that cannot be read asks for nothing: what is wrong with it
            is said later, with its place.
        chosen: In place of the file's; empty for those.
        settings: The environment's.
    """
    named = list(chosen)
    if not named:
        try:
            device = json.loads(config.read_bytes())["device"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return []
        named = device if isinstance(device, list) else [device]
    full = [settings.device(name) for name in named if isinstance(name, str)]
    return [needs.RUNTIMES[name] for name in full if name in needs.RUNTIMES]
