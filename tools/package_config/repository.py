"""What a Bazel repository holds that packages a config."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.cli import UserError
from tools.package_config.build_file import Reference, directory_name, load_statement, targets
from tools.package_config.config import PackageConfig
from tools.package_config.on_disk import CHAT_CONFIG, model_files
from tools.package_config.sources import Source, names, source_of

_HEADER = 'package(default_visibility = ["//visibility:public"])\n'


def describe(
    config: PackageConfig,
    hub: Mapping[str, str | Path],
    runtimes: Mapping[str, str],
    install_dir: str,
    source_runtime: str | None = None,
) -> dict[str, Any]:
    """Returns the repository's BUILD file, and the links that it needs.

    Args:
        config: The package config.
        hub: The repository of each model of the Hub in Bazel, by ``org/repo``; or the directory
            where its files lie already.
        runtimes: The label of the runtime of each device that has one.
        install_dir: Where `bazel run` installs, relative to the workspace.
        source_runtime: The version of the TVM in upstream's sources, of which the other devices get
            their runtime; None where they get none.

    Returns:
        ``{"build_file": text, "links": {path in the repository: file}, "directories": [path]}``;
        a file that comes or goes in one of the directories changes the answer.
    """
    links: dict[str, str] = {}
    directories: list[str] = []
    references: dict[Source, Reference] = {}
    for source, name in names(config).items():
        root = hub.get(source) if isinstance(source, str) else source
        if root is None:
            raise UserError(
                f"HF://{source}: Bazel's reader of JSON did not find it; save the file as plain "
                "UTF-8, without escapes of half a character"
            )
        if isinstance(root, str):
            references[source] = Reference.to_hub(name, root)
            continue
        place = f"models/{name}"
        files, parents = model_files(root)
        links.update({f"{place}/{file}": str(root / file) for file in files})
        directories += [str(root / parent) for parent in parents]
        srcs = [f"{place}/{file}" for file in files]
        references[source] = Reference(name, f"{place}/{CHAT_CONFIG}", {"srcs": srcs})
    several = len(config.devices) > 1
    packages = [
        {
            "install_dir": f"{install_dir}/{directory_name(device)}" if several else install_dir,
            "runtime": runtimes.get(device),
        }
        for device in config.devices
    ]
    libraries = {name: f"libraries/{name}{path.suffix}" for name, path in config.libraries.items()}
    links.update({label: str(config.libraries[name]) for name, label in libraries.items()})
    used = [references[source_of(model)] for model in config.models]
    text, functions = targets(
        config, used, libraries, packages, stable_names=True, source_runtime=source_runtime
    )
    return {
        "build_file": f"{load_statement(functions)}\n{_HEADER}\n{text}",
        "links": links,
        "directories": directories,
    }
