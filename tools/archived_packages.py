"""Imports packages from archives, one each: a file where there are a thousand.

A remote worker lays out every input of every action, which takes longer for the files of packages
than the action itself. `tools/python/install_environment.py` makes the archives: ``NAME.zip`` has
what package NAME consists of, byte code included, but for its native libraries. These lie beside
the archive as they lie in the package, and modules have the ``__file__`` they would have there.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
import zipfile
import zipimport
from importlib.machinery import ModuleSpec


class ArchiveLoader(importlib.machinery.SourceFileLoader):
    """Loads a module from an archive.

    Args:
        name: The module's name.
        path: Where its source would be.
        site: The directory of the archives.
        archive: What reads the archive of its package. It opens the file for each module: the
            processes of a worker would share the position in an open one.
    """

    def __init__(self, name: str, path: str, site: str, archive: zipimport.zipimporter) -> None:
        super().__init__(name, path)
        self._site = site
        self._reader = archive
        # Both are read by `importlib.readers.ZipReader`.
        self.archive = archive.archive
        self.prefix = "".join(f"{parent}/" for parent in name.split(".")[:-1])

    def get_data(self, path: str) -> bytes:
        """Returns the contents of a file of the package: source, byte code or data."""
        return self._reader.get_data(path.removeprefix(f"{self._site}/"))

    def path_stats(self, path: str) -> dict[str, int]:
        """Returns no times: byte code of the environment is not compared with sources."""
        return {"mtime": 0, "size": 0}

    def get_resource_reader(self, name: str) -> object:
        """Returns what `importlib.resources` reads the package's data with."""
        from importlib.readers import ZipReader

        return ZipReader(self, name)


class ArchiveFinder:
    """Finds modules in the archives of a directory.

    Args:
        site: The directory.
    """

    def __init__(self, site: str) -> None:
        self._site = site
        self._packages = {name[:-4] for name in os.listdir(site) if name.endswith(".zip")}
        self._opened: dict[str, tuple[zipimport.zipimporter, frozenset[str]]] = {}

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Returns where a module is, as `sys.meta_path` asks; None where no archive has it."""
        package = name.partition(".")[0]
        if package not in self._packages:
            return None
        archive, files = self._open(package)
        module = name.replace(".", "/")
        # Where the standard finders look for extension modules.
        folder = [f"{self._site}/{module}"]
        for source, search in ((f"{module}/__init__.py", folder), (f"{module}.py", None)):
            if source in files:
                location = f"{self._site}/{source}"
                loader = ArchiveLoader(name, location, self._site, archive)
                return importlib.util.spec_from_file_location(
                    name, location, loader=loader, submodule_search_locations=search
                )
        if not any(file.startswith(f"{module}/") for file in files):
            return None
        namespace = ModuleSpec(name, None, is_package=True)
        namespace.submodule_search_locations = folder
        return namespace

    def _open(self, package: str) -> tuple[zipimport.zipimporter, frozenset[str]]:
        """Returns the archive of a package, and the names of its files."""
        if package not in self._opened:
            path = f"{self._site}/{package}.zip"
            with zipfile.ZipFile(path) as archive:
                files = frozenset(archive.namelist())
            self._opened[package] = zipimport.zipimporter(path), files
        return self._opened[package]


def install(site: str) -> None:
    """Makes what a directory has archives of importable; the directory is on `sys.path`."""
    sys.meta_path.insert(0, ArchiveFinder(os.path.abspath(site)))
