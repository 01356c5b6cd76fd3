"""Installs a package into a directory, usually ``dist/`` of the source tree, incrementally.

Every conflict is found before the first change. Files are hard links of the build's files where
the file system allows it, else copies.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.cli import UserError, folder_problem, locked
from tools.config.plain_name import problem
from tools.package import placement, record
from tools.package.manifest import NAME as MANIFEST
from tools.package.manifest import load as load_manifest
from tools.package.record import Installed


@dataclasses.dataclass(frozen=True)
class File:
    """A file of the package: its path in it, the real file, and what the manifest says of it."""

    path: str
    source: Path
    nbytes: int
    sha256: str


@dataclasses.dataclass
class Summary:
    """What an install did, or, of a dry run, would do."""

    files: int = 0
    nbytes: int = 0
    linked: int = 0
    copied: int = 0
    to_install: int = 0
    up_to_date: int = 0
    removed: int = 0

    def text(self) -> str:
        """Returns ``12 files, 3.1 MB: 2 linked, 10 up to date, 1 removed``."""
        counts = [
            f"{count} {what}"
            for count, what in (
                (self.to_install, "to install"),
                (self.linked, "linked"),
                (self.copied, "copied"),
                (self.up_to_date, "up to date"),
                (self.removed, "removed"),
            )
            if count
        ]
        return f"{self.files} files, {_size(self.nbytes)}: {', '.join(counts)}"


def install(
    manifest: Path,
    root: Path,
    name: str,
    dist: Path,
    dry_run: bool = False,
    report: Callable[[str], None] = lambda line: None,
) -> Summary:
    """Makes ``dist`` hold the package, and removes what an earlier install of it left over.

    Args:
        manifest: The package's manifest, which is installed too.
        root: The directory in which the manifest's paths are.
        name: The package's name; several packages may share ``dist`` if their files differ.
        dist: The directory to install into; made where missing, may be a symbolic link.
        dry_run: Only find out what would be done.
        report: Receives a line for each file that is, or would be, changed.

    Raises:
        UserError: A file that no install of this package put there is in the way and differs, a
            path would leave ``dist``, a folder cannot be written, or a file is not what the
            manifest lists. No file was changed.
    """
    wrong = problem(name)
    if wrong:
        raise UserError(f"--name: {name!r} {wrong}; expected a plain name")
    files = _files(manifest, root)
    records = dist / record.DIRECTORY
    _check_folders(dist, [""])
    _refuse(placement.unsafe_parent(dist, f"{record.DIRECTORY}/lock"))
    _check_folders(dist, [record.DIRECTORY])
    if dry_run:
        return _foretell(_plan(dist, name, files), files, report)
    verified = set[File]()
    if not records.exists():
        # A first install that is refused leaves no folder of records, either.
        verified.update(_plan(dist, name, files).todo)
        _verify(verified)
    with _locked(records):
        plan = _plan(dist, name, files)
        summary = _summary(plan, files)
        _verify(set(plan.todo) - verified)
        pending = {file.path: Installed(file.nbytes, file.sha256, None) for file in plan.todo}
        record.write(dist, name, {**pending, **plan.before})
        with placement.scratch_directory(records / f"{name}.partial") as scratch:
            for file in plan.todo:
                linked = placement.place(file.source, dist / file.path, scratch)
                summary.linked += linked
                summary.copied += not linked
                report(f"{'link' if linked else 'copy'} {file.path}")
        for path in plan.stale:
            placement.remove(dist, path)
            report(f"remove {path}")
        record.write(dist, name, {file.path: _installed(dist, file) for file in files})
    return summary


@dataclasses.dataclass(frozen=True)
class _Plan:
    """What was installed before, the files to install, and the paths to remove."""

    before: dict[str, Installed]
    todo: list[File]
    stale: list[str]


def _plan(dist: Path, name: str, files: list[File]) -> _Plan:
    """Finds out what an install changes; raises where it would be refused."""
    before = record.read(dist, name)
    others = record.owners(dist, name)
    todo = [file for file in files if not _in_place(dist, file, before.get(file.path), others)]
    leftovers = set(before) - {file.path for file in files} - set(others)
    stale = sorted(path for path in leftovers if _still_ours(dist, path, before[path]))
    _check_folders(dist, {os.path.dirname(path) for path in [*(f.path for f in todo), *stale]})
    return _Plan(before, todo, stale)


def _summary(plan: _Plan, files: list[File]) -> Summary:
    return Summary(
        files=len(files),
        nbytes=sum(file.nbytes for file in files),
        up_to_date=len(files) - len(plan.todo),
        removed=len(plan.stale),
    )


def _foretell(plan: _Plan, files: list[File], report: Callable[[str], None]) -> Summary:
    for file in plan.todo:
        report(f"would install {file.path}")
    for path in plan.stale:
        report(f"would remove {path}")
    return dataclasses.replace(_summary(plan, files), to_install=len(plan.todo))


def _locked(records: Path) -> contextlib.AbstractContextManager[None]:
    records.mkdir(parents=True, exist_ok=True)
    waiting = f"another install into {records.parent} is running; waiting for it"
    return locked(records / "lock", waiting)


def _files(manifest: Path, root: Path) -> list[File]:
    files = []
    for entry in load_manifest(manifest)["files"]:
        path = entry["path"]
        if path.split("/")[0] == record.DIRECTORY:
            raise UserError(
                f"{manifest}: the path {path!r} is where records of installs are kept; "
                "build the package again"
            )
        source = Path(os.path.realpath(root / path))
        if not source.is_file() or source.stat().st_size != entry["nbytes"]:
            raise UserError(
                f"{root / path}: is not the file that {MANIFEST} lists; build the package again"
            )
        files.append(File(path, source, entry["nbytes"], entry["sha256"]))
    real = Path(os.path.realpath(manifest))
    files.append(File(MANIFEST, real, real.stat().st_size, placement.sha256(real)))
    return files


def _verify(unordered: set[File]) -> None:
    """Refuses files that a disk, or a cache that Bazel trusts, has spoiled."""
    files = sorted(unordered, key=lambda file: file.path)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        digests = pool.map(lambda file: placement.sha256(file.source), files)
        for file, digest in zip(files, digests, strict=True):
            if digest != file.sha256:
                raise UserError(
                    f"{file.source}: has other bytes than {MANIFEST} lists; remove it, and the "
                    "cache that it came from, and build the package again"
                )


def _in_place(dist: Path, file: File, known: Installed | None, others: dict[str, str]) -> bool:
    """Returns whether the file is there already; raises where something else is in the way."""
    _refuse(placement.unsafe_parent(dist, file.path))
    target = dist / file.path
    try:
        status = os.lstat(target)
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(status.st_mode):
        raise UserError(f"{target}: is a directory, and the package has a file there; remove it")
    if stat.S_ISREG(status.st_mode):
        if known is not None and not known.pending:
            if os.path.samefile(target, file.source):
                return True
            if (record.stamp(status), status.st_size) == (known.stamp, known.nbytes):
                return known.sha256 == file.sha256
            return placement.sha256(target) == file.sha256
        found = placement.sha256(target)
        if found == file.sha256 or (known is not None and found == known.sha256):
            return False
    if file.path in others:
        raise UserError(
            f"{target}: was installed by {others[file.path]} and differs; give one of the packages "
            "another --output"
        )
    raise UserError(
        f"{target}: is in the way, and no install of this package put it there; remove or rename it"
    )


def _still_ours(dist: Path, path: str, known: Installed) -> bool:
    """Returns whether a leftover is the very file that was installed."""
    target = dist / path
    if placement.unsafe_parent(dist, path) is not None:
        return False
    try:
        status = os.lstat(target)
    except FileNotFoundError:
        return False
    if not stat.S_ISREG(status.st_mode) or status.st_size != known.nbytes:
        return False
    return record.stamp(status) == known.stamp or placement.sha256(target) == known.sha256


def _installed(dist: Path, file: File) -> Installed:
    return Installed(file.nbytes, file.sha256, record.stamp(os.lstat(dist / file.path)))


def _check_folders(dist: Path, folders: Iterable[str]) -> None:
    """Refuses a ``dist`` in whose folders files can be neither made nor removed."""
    for folder in sorted(folders):
        problem = folder_problem(dist / folder)
        if problem:
            raise UserError(f"--output {dist}: {problem}")


def _refuse(wrong: str | None) -> None:
    if wrong:
        raise UserError(wrong)


def _size(nbytes: int) -> str:
    if nbytes < 1000:
        return f"{nbytes} bytes"
    value, unit = nbytes / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.1f} {unit}"
