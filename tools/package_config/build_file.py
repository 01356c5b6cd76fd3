"""The BUILD file that says the same as a package config."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from tools.package_config import starlark
from tools.package_config.config import Model, PackageConfig, library_name
from tools.runtime_source.needs import RUNTIMES

PACKAGE = "mlc_package"
"""The target of the package; of several, that of all, and each has its device behind it."""

LOCK = "lock"
"""The target that locks models of the Hub."""

_RULES = "@rules_mlc//rules:defs.bzl"


@dataclasses.dataclass(frozen=True)
class Reference:
    """How the BUILD file gets at a model; entries of one model share it.

    Attributes:
        name: What the targets of its libraries and weights are named after: not the model_id, so
            that a new one compiles nothing.
        config: The label of its mlc-chat-config.json, or of a target that has one.
        weights: The label of its mlc_weight_bundle, or the attributes of one: ``srcs`` or
            ``directory``.
    """

    name: str
    config: str
    weights: str | dict[str, Any]

    @staticmethod
    def to_hub(name: str, repository: str) -> Reference:
        """Returns the reference to a model that an mlc.hub_model tag calls ``repository``."""
        return Reference(name, f"@{repository}//:config", f"@{repository}//:weights")


def targets(
    config: PackageConfig,
    references: list[Reference],
    libraries: Mapping[str, str],
    packages: list[dict[str, Any]],
    stable_names: bool = False,
    source_runtime: str | None = None,
) -> tuple[str, set[str]]:
    """Returns the calls of a BUILD file, and the names of the functions they call.

    Args:
        config: The package config.
        references: One for each model.
        libraries: The labels of the hand-compiled libraries, by `library_name`.
        packages: More attributes of each device's mlc_package.
        stable_names: Whether a library is named after what it is compiled with, so that an edit of
            another entry renames none: a renamed one is compiled again.
        source_runtime: Where packages without a runtime get that of upstream's sources, the version
            of their TVM.
    """
    names = package_names(config.devices)
    calls = _Calls({PACKAGE, LOCK, *names})
    models = [calls.reserve(model.model_id) for model in config.models]
    for name, model, reference in zip(models, config.models, references, strict=True):
        rule, library = _library(model, reference, libraries)
        options = _options_digest(library) if stable_names else ""
        lib = calls.shared(rule, f"{reference.name}{options}_lib", library)
        weights = reference.weights if model.bundle_weight else None
        if isinstance(weights, dict):
            bundle = calls.shared("mlc_weight_bundle", f"{reference.name}_weights", weights)
            weights = f":{bundle}"
        calls.add("mlc_model", {"name": name, **_entry(name, model, lib, weights)})
    models = [f":{name}" for name in models]
    for name, device, attributes in zip(names, config.devices, packages, strict=True):
        package = {"name": name, "device": device, "models": models, **attributes}
        if source_runtime and device in RUNTIMES and not package.get("runtime"):
            package["runtime"] = f":{_runtime_from_source(calls, package, source_runtime)}"
        calls.add("mlc_package", package)
    if len(names) > 1:
        every = {"name": PACKAGE, "packages": [f":{name}" for name in names]}
        calls.add("mlc_packages", every)
    return calls.text(), calls.functions()


def load_statement(functions: set[str]) -> str:
    """Returns the statement that loads rules of rules_mlc."""
    quoted = ", ".join(starlark.literal(name) for name in [_RULES, *sorted(functions)])
    return f"load({quoted})\n"


def package_names(devices: tuple[str, ...]) -> list[str]:
    """Returns the target of each device's package."""
    if len(devices) == 1:
        return [PACKAGE]
    return [f"{PACKAGE}_{directory_name(device)}" for device in devices]


def directory_name(device: str) -> str:
    """Returns the name of a device for files and targets: android_adreno of android:adreno."""
    return device.replace(":", "_")


def _library(
    model: Model, reference: Reference, libraries: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    """Returns the rule that makes the model's library, and its attributes without the name."""
    attributes = {
        "config": reference.config,
        "model_lib": model.model_lib,
        "overrides": model.overrides or None,
    }
    compiled = libraries.get(library_name(model.model_lib or ""))
    if compiled is not None:
        return "mlc_prebuilt_model_lib", {**attributes, "library": compiled}
    return "mlc_model_lib", {**attributes, "opt": None if model.opt == "O2" else model.opt}


def _runtime_from_source(calls: _Calls, package: dict[str, Any], version: str) -> str:
    """Adds the runtime of a package, built of upstream's sources; returns its name."""
    device = RUNTIMES[package["device"]]
    archive = None
    if device == "android":
        # What is linked into the runtime: the libraries of the same models, without a runtime.
        models = calls.reserve(f"{package['name']}_models")
        calls.add("mlc_package", {**package, "name": models})
        archive = calls.reserve(f"{package['name']}_archive")
        group = {"srcs": [f":{models}"], "output_group": "libraries"}
        calls.add("filegroup", {"name": archive, **group})
        archive = f":{archive}"
    name = calls.reserve(f"{package['name']}_runtime")
    runtime = {"device": device, "model_archive": archive, "version": version}
    calls.add("mlc_runtime_from_source", {"name": name, **runtime})
    return name


def _options_digest(library: dict[str, Any]) -> str:
    """Returns a part of a name for a library's attributes; nothing where all are the defaults."""
    options = {name: value for name, value in library.items() if name != "config" and value}
    if not options:
        return ""
    text = json.dumps(options, sort_keys=True)
    return f"_{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()[:8]}"


def _entry(name: str, model: Model, lib: str, weights: str | None) -> dict[str, Any]:
    return {
        "bundle_weight": True if model.bundle_weight and model.repo else None,
        "estimated_vram_bytes": model.estimated_vram_bytes,
        "lib": f":{lib}",
        "model_id": None if model.model_id == name else model.model_id,
        "url": f"HF://{model.repo}" if model.repo else None,
        "weights": weights,
    }


class _Calls:
    """The calls of a BUILD file in their order; the names of their targets are unique."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._calls: list[tuple[str, dict[str, Any]]] = []

    def reserve(self, name: str) -> str:
        """Returns ``name``, with underscores behind it where it is taken."""
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def add(self, function: str, arguments: dict[str, Any]) -> None:
        """Adds a call."""
        self._calls.append((function, arguments))

    def shared(self, function: str, name: str, arguments: dict[str, Any]) -> str:
        """Returns the name of a target with these arguments; adds one where there is none."""
        for other, existing in self._calls:
            if other == function and {**existing, "name": None} == {**arguments, "name": None}:
                return existing["name"]
        name = self.reserve(name)
        self.add(function, {"name": name, **arguments})
        return name

    def functions(self) -> set[str]:
        """Returns the names of what is called and is no rule of Bazel's own."""
        return {function for function, _ in self._calls} - {"filegroup"}

    def text(self) -> str:
        """Returns the calls as text."""
        return "\n".join(starlark.call(name, **arguments) for name, arguments in self._calls)
