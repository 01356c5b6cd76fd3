"""The files of a workspace that packages a config: BUILD.bazel and MODULE.bazel."""

from __future__ import annotations

from pathlib import PurePosixPath

from tools.migrate.workspace import Repository
from tools.package_config import PackageConfig, starlark
from tools.package_config.build_file import Reference, directory_name, load_statement, targets

VERSION = "0.1.0"
"""Of rules_mlc; a test holds it against MODULE.bazel."""


def build_file(
    config: PackageConfig, references: list[Reference], libraries: dict[str, str], package: str
) -> str:
    """Returns BUILD.bazel.

    Args:
        config: The package config.
        references: One for each model.
        libraries: The labels of the hand-compiled libraries, by `library_name`.
        package: The file's directory, relative to the workspace; ``.`` for the workspace itself.
    """
    packages: list[dict[str, str]] = [{}]
    if len(config.devices) > 1:
        dist = PurePosixPath(package) / "dist"
        packages = [
            {"install_dir": (dist / directory_name(device)).as_posix()} for device in config.devices
        ]
    text, functions = targets(config, references, libraries, packages)
    return f"{load_statement(functions)}\n{text}"


def module_file(repositories: list[Repository], package: str) -> str:
    """Returns the lines of MODULE.bazel, with a tag for each model that needs a repository.

    Args:
        repositories: What `Workspace` noted.
        package: As in `build_file`; the lock lies beside that file.
    """
    lock = f"//{'' if package == '.' else package}:mlc.lock.json"
    hub = [one for one in repositories if one.repo is not None]
    local = [one for one in repositories if one.path is not None]
    parts = [f'bazel_dep(name = "rules_mlc", version = "{VERSION}")\n']
    if hub:
        lines = ['mlc = use_extension("@rules_mlc//rules:extensions.bzl", "mlc")\n']
        for one in hub:
            model = f"HF://{one.repo}"
            lines.append(starlark.call("mlc.hub_model", name=one.name, lock=lock, model=model))
        used = ", ".join(starlark.literal(one.name) for one in hub)
        parts.append("".join([*lines, f"use_repo(mlc, {used})\n"]))
    if local:
        rule = "@bazel_tools//tools/build_defs/repo:local.bzl"
        parts.append(f'new_local_repository = use_repo_rule("{rule}", "new_local_repository")\n')
        parts += [
            starlark.call(
                "new_local_repository",
                name=one.name,
                build_file_content=starlark.Block(one.build_file),
                path=one.path,
            )
            for one in local
        ]
    return "\n".join(parts)
