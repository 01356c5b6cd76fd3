"""What the environment says, under the names and with the meaning that upstream gave them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path

from tools.cli import UserError

POLICIES = ("ON", "OFF", "REDO", "READONLY")


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings.

    Attributes:
        home: MLC_LLM_HOME, the cache folder.
        jit: MLC_JIT_POLICY, about compiled libraries: ``ON`` compiles what is not there, ``OFF``
            never, ``REDO`` always, ``READONLY`` takes only what is there.
        download: MLC_DOWNLOAD_CACHE_POLICY, the same about models of the Hub.
        macabi_arch: MLC_MACABI_ARCH, the machine of device ``macabi``: ``arm64`` or ``x86_64``.
        readonly_caches: MLC_LLM_READONLY_WEIGHT_CACHE, folders that are looked into first.
    """

    home: Path
    jit: str
    download: str
    macabi_arch: str
    readonly_caches: tuple[Path, ...]

    def device(self, name: str) -> str:
        """Returns a device as rules_mlc names it."""
        return "macabi:x86_64" if (name, self.macabi_arch) == ("macabi", "x86_64") else name

    def directory_of(self, repo: str) -> Path | None:
        """Returns where upstream has downloaded a model of the Hub, or None.

        The files are upstream's: nothing tells of which commit they are.
        """
        folders = list(self.readonly_caches)
        if self.download != "REDO":
            folders.append(self.home / "model_weights")
        found = (folder / "hf" / repo for folder in folders)
        return next((path for path in found if (path / "mlc-chat-config.json").is_file()), None)


def read(environment: Mapping[str, str]) -> Settings:
    """Returns the settings.

    Raises:
        UserError: A policy is none of `POLICIES`, or a machine is none of Apple's.
    """
    arch = environment.get("MLC_MACABI_ARCH", "").strip() or "arm64"
    if arch not in ("arm64", "x86_64"):
        raise UserError(f"MLC_MACABI_ARCH: expected arm64 or x86_64, got {arch!r}")
    caches = environment.get("MLC_LLM_READONLY_WEIGHT_CACHE", "").split(os.pathsep)
    return Settings(
        home=_home(environment),
        jit=_policy(environment, "MLC_JIT_POLICY"),
        download=_policy(environment, "MLC_DOWNLOAD_CACHE_POLICY"),
        macabi_arch=arch,
        readonly_caches=tuple(Path(os.path.abspath(path)) for path in caches if path),
    )


def _policy(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "ON")
    if value not in POLICIES:
        raise UserError(f"{name}: expected ON, OFF, REDO or READONLY, got {value!r}")
    return value


def _home(environment: Mapping[str, str]) -> Path:
    chosen = environment.get("MLC_LLM_HOME")
    if chosen:
        return Path(os.path.abspath(chosen))
    cache = environment.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return Path(os.path.abspath(cache)) / "mlc_llm"
