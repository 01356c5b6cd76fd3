"""The steps of the command: check, lock, build, install."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from tools.cli import UserError
from tools.mlc_package.runtime import Sources
from tools.mlc_package.settings import Settings
from tools.mlc_package.workspace import Workspace

_CHECK = "@rules_mlc//tools/package_config"

# Of the record of an install: the same for every folder that a config may move to.
_NAME = "mlc-package"


@dataclasses.dataclass(frozen=True)
class Request:
    """What the user asks for.

    Attributes:
        config: The package config, an absolute path.
        shown: What messages call it.
        output: The directory to install into.
        devices: In place of the file's; empty for those.
        strict: Whether unknown keys are errors.
        sources: What the runtime is built of; None where none is.
    """

    config: Path
    shown: str
    output: Path
    devices: list[str]
    strict: bool
    sources: Sources | None


def package(workspace: Workspace, settings: Settings, request: Request) -> int:
    """Builds the package and installs it; returns the exit status.

    Args:
        workspace: Where; held.
        settings: The environment's.
        request: The user's.

    Raises:
        UserError: The config has mistakes, or a policy forbids what it needs.
    """
    is_first = not workspace.is_used()
    if is_first:
        print(
            "preparing Bazel and the Python packages of rules_mlc: once, a few minutes",
            file=sys.stderr,
        )
    if not workspace.is_written():
        workspace.write(request.devices, {}, request.strict, request.sources)
    if is_first:
        # Here, because the check keeps what Bazel shows meanwhile to itself.
        status = workspace.build(_CHECK)
        if status:
            return status
    config = _check(workspace, request)
    repos = list(dict.fromkeys(model["repo"] for model in config["models"] if model["repo"]))
    _refuse(settings, config, repos)
    flags = _redo(workspace, settings)
    # A model that was fetched here once stays what it was, whatever else lies on the machine.
    new = [repo for repo in repos if repo not in workspace.locked()]
    cached = {repo: found for repo in new if (found := settings.directory_of(repo))}
    devices = [settings.device(name) for name in config["devices"]]
    workspace.write(devices, cached, request.strict, request.sources)
    environment = dict(request.sources.environment) if request.sources else {}
    if settings.download == "READONLY":
        environment["HF_HUB_OFFLINE"] = "1"
    status = 0
    if set(new) - set(cached):
        status = workspace.run(f"@{workspace.name}//:lock", [], environment=environment).returncode
    if status == 0 and settings.jit == "READONLY":
        _check_libraries(workspace, environment)
    for target, output in _packages(workspace, request, devices):
        arguments = ["--output", str(output), "--name", _NAME]
        status = status or workspace.run(target, arguments, flags, environment).returncode
    return status


def _check(workspace: Workspace, request: Request) -> dict[str, Any]:
    """Returns the config with every default filled in; shows its warnings."""
    arguments = ["check", str(request.config), "--name", request.shown]
    for device in request.devices:
        arguments += ["--device", device]
    arguments += ["--strict"] if request.strict else []
    done = workspace.run(_CHECK, arguments, capture=True)
    lines = done.stderr.splitlines()
    if done.returncode == 0:
        for line in lines:
            if line.startswith("warning: "):
                print(line, file=sys.stderr)
        return json.loads(done.stdout)
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    raise UserError("\n".join(errors) or f"Bazel did not start: {done.stderr.strip()}")


def _refuse(settings: Settings, config: dict[str, Any], repos: list[str]) -> None:
    """Raises a UserError where a policy forbids what the config needs, whatever is cached."""
    if settings.download == "OFF" and repos:
        raise UserError(
            f"MLC_DOWNLOAD_CACHE_POLICY=OFF: {repos[0]} is a model of the Hub; set it to READONLY "
            "to use what was downloaded before, or to ON"
        )
    compiled = [
        model["model_id"]
        for model in config["models"]
        if (model["model_lib"] or "").replace("-", "_") not in config["libraries"]
    ]
    if settings.jit == "OFF" and compiled:
        raise UserError(
            f"MLC_JIT_POLICY=OFF: the library of {compiled[0]} would be compiled; give its path in "
            "model_lib_path_for_prepare_libs, or set the policy to READONLY or ON"
        )


def _redo(workspace: Workspace, settings: Settings) -> list[str]:
    """Forgets what the policies want anew; returns flags that keep other caches from giving it."""
    if settings.download == "REDO":
        workspace.lock.unlink(missing_ok=True)
        workspace.forget("mlc_hub")
    if settings.jit == "REDO":
        # A server's workers remember what they compiled.
        workspace.bazel("shutdown")
        workspace.forget(workspace.name)
    return ["--noremote_accept_cached"] if "REDO" in (settings.download, settings.jit) else []


def _check_libraries(workspace: Workspace, environment: dict[str, str]) -> None:
    """Raises a UserError where a library would be compiled."""
    target = f"@{workspace.name}//:mlc_package"
    for flags in (["--output_groups=_validation"], ["--check_up_to_date", "--output_groups=logs"]):
        done = workspace.bazel("build", *flags, target, environment=environment, capture=True)
        if done.returncode and "--check_up_to_date" not in flags:
            raise UserError(done.stderr.strip())
    if done.returncode:
        raise UserError(
            "MLC_JIT_POLICY=READONLY: not every library was compiled before; set it to ON once"
        )


def _packages(workspace: Workspace, request: Request, devices: list[str]) -> list[tuple[str, Path]]:
    """Returns the target of each package and where it is installed."""
    target = f"@{workspace.name}//:mlc_package"
    if len(devices) == 1:
        return [(target, request.output)]
    names = [device.replace(":", "_") for device in devices]
    return [(f"{target}_{name}", request.output / name) for name in names]
