"""Where the models of a package config are, seen from a Bazel workspace."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path

from tools.package_config import PackageConfig, starlark
from tools.package_config.build_file import Reference
from tools.package_config.on_disk import CHAT_CONFIG
from tools.package_config.sources import Source, names, source_of

_BUILD_FILES = ("BUILD", "BUILD.bazel")

_MODEL = """\
exports_files(["mlc-chat-config.json"])

filegroup(
    name = "files",
    srcs = glob(
        ["**"],
        exclude = [
            "**/.*",
            "**/.*/**",
            "**/*.md",
            "**/BUILD*",
        ],
    ),
    visibility = ["//visibility:public"],
)
"""


@dataclasses.dataclass(frozen=True)
class Repository:
    """What is not part of the package and so has a repository.

    Attributes:
        name: The repository's name in Bazel.
        repo: ``org/repo`` of the Hub; None for a directory.
        path: The directory, relative to the workspace where it is inside; None for the Hub.
        build_file: The directory's BUILD file; empty for the Hub.
    """

    name: str
    repo: str | None = None
    path: str | None = None
    build_file: str = ""


class Workspace:
    """Finds labels, and notes which repositories they need.

    Attributes:
        repositories: In the order in which they were asked for.
    """

    def __init__(self, package: Path, root: Path) -> None:
        """The directory of the BUILD file, and that of the workspace."""
        self.repositories: list[Repository] = []
        self._package = package
        self._root = root

    def models(self, config: PackageConfig) -> list[Reference]:
        """Returns how the BUILD file gets at the model of each entry."""
        found = {source: self._model(source, name) for source, name in names(config).items()}
        return [found[source_of(model)] for model in config.models]

    def libraries(self, config: PackageConfig) -> dict[str, str]:
        """Returns the labels of the hand-compiled libraries, by `library_name`."""
        return {name: self._library(name, path) for name, path in config.libraries.items()}

    def _model(self, source: Source, name: str) -> Reference:
        if isinstance(source, str):
            return Reference.to_hub(name, self._add(name, repo=source))
        inside = _inside(source, self._package)
        if inside:
            return Reference(name, f"{inside}/{CHAT_CONFIG}", {"directory": inside})
        repository = self._add(name, path=self._shown(source), build_file=_MODEL)
        config, files = f"@{repository}//:{CHAT_CONFIG}", f"@{repository}//:files"
        return Reference(name, config, {"srcs": [files]})

    def _library(self, name: str, path: Path) -> str:
        directory = _inside(path.parent, self._package)
        if directory:
            return path.name if directory == "." else f"{directory}/{path.name}"
        content = f"exports_files([{starlark.literal(path.name)}])\n"
        repository = self._add(name, path=self._shown(path.parent), build_file=content)
        return f"@{repository}//:{path.name}"

    def _shown(self, path: Path) -> str:
        """Returns the directory as new_local_repository takes it."""
        path = Path(os.path.normpath(path))
        return (
            path.relative_to(self._root) if path.is_relative_to(self._root) else path
        ).as_posix()

    def _add(self, name: str, **attributes: str) -> str:
        """Notes a repository; its name has letters, digits, ``_`` and ``-``, as Bazel wants it."""
        name = re.sub(r"[^A-Za-z0-9_-]", "_", name)
        if not name[0].isalpha() or name.startswith("mlc_"):
            name = f"model_{name}"
        while any(name == other.name for other in self.repositories):
            name += "_"
        self.repositories.append(Repository(name, **attributes))
        return name


def root_of(package: Path) -> Path:
    """Returns the workspace that a directory is in; itself where there is none."""
    parents = [package, *package.parents]
    return next((p for p in parents if (p / "MODULE.bazel").exists()), package)


def _inside(path: Path, package: Path) -> str | None:
    """Returns a directory relative to the package, or None if it is not of the package."""
    path = Path(os.path.normpath(path))
    if not path.is_relative_to(package):
        return None
    relative = path.relative_to(package)
    between = [package / parent for parent in [relative, *relative.parents] if parent.name]
    if any((directory / name).exists() for directory in between for name in _BUILD_FILES):
        return None
    return relative.as_posix()
