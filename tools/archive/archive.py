"""Puts the objects of all model libraries of a package into one static archive."""

from __future__ import annotations

import dataclasses
import filecmp
import os
import tarfile
import zlib
from collections.abc import Iterable, Sequence

from tools import cli
from tools.archive import ar_elf, ar_macho
from tools.archive.ar_format import Member
from tools.archive.symbols import Symbol, defined_symbols
from tools.cli import UserError
from tools.config import load_key

_WRITERS = {"elf": ar_elf.archive, "macho": ar_macho.archive}


@dataclasses.dataclass(frozen=True)
class Library:
    """A compiled library: its system-library name, and the .tar of its objects."""

    model_lib: str
    path: str


def write_archive(
    output: str | os.PathLike[str],
    object_format: str,
    symbol_suffix: str,
    pairs: Iterable[Sequence[str]],
) -> None:
    """Writes the archive; its bytes depend on the libraries alone, not on their order.

    Args:
        output: The ``.a`` file.
        object_format: ``elf`` or ``macho``.
        symbol_suffix: What follows ``<model_lib>_`` in the name of the symbol by which the runtime
            finds a library, without Mach-O's leading underscore: ``__tvm_ffi__library_bin``.
        pairs: The compile key and the .tar of each library; equal libraries may repeat.

    Raises:
        UserError: A library lacks its symbol, or two libraries exclude each other.
    """
    libraries = _distinct(
        Library(load_key(key, any_model=True).model_lib, path) for key, path in pairs
    )
    members: list[Member] = []
    owners: dict[str, str] = {}
    for library in libraries:
        objects = _objects(library)
        symbols = {
            name: defined_symbols(data, object_format, f"{library.path}: {name}")
            for name, data in objects.items()
        }
        defined = [symbol for found in symbols.values() for symbol in found]
        _check_entry(library, defined, object_format, symbol_suffix)
        _check_clashes(library, defined, owners)
        for name, data in objects.items():
            names = tuple(symbol.name for symbol in symbols[name])
            members.append(Member(f"{library.model_lib}_{name}", data, names))
    cli.write_bytes(output, _WRITERS[object_format](members))


def _distinct(libraries: Iterable[Library]) -> list[Library]:
    """Returns one library of each name, sorted; refuses one name with two contents."""
    first: dict[str, Library] = {}
    for library in libraries:
        known = first.setdefault(library.model_lib, library)
        same = known.path == library.path or filecmp.cmp(known.path, library.path, shallow=False)
        if not same:
            raise UserError(
                f'model_lib "{library.model_lib}": {known.path} and {library.path} are different '
                "libraries of one name; give one of them another model_lib"
            )
    return [library for _, library in sorted(first.items())]


def _objects(library: Library) -> dict[str, bytes]:
    """Returns the objects of a .tar by their file names, sorted."""
    objects: dict[str, bytes] = {}
    try:
        with tarfile.open(library.path, "r:*") as tar:
            for member in tar:
                if member.isdir():
                    continue
                name = os.path.basename(member.name)
                if not member.isfile() or name in objects:
                    raise UserError(
                        f"{library.path}: {member.name}: expected object files of distinct names"
                    )
                objects[name] = tar.extractfile(member).read()
    except (tarfile.TarError, EOFError, zlib.error):
        raise UserError(
            f"{library.path}: is not a complete .tar of objects; compile the library again"
        ) from None
    if not objects:
        raise UserError(f"{library.path}: holds no object; compile the library again")
    return dict(sorted(objects.items()))


def _check_entry(
    library: Library, defined: Iterable[Symbol], object_format: str, symbol_suffix: str
) -> None:
    wanted = f"{library.model_lib}_{symbol_suffix}"
    mangled = f"_{wanted}" if object_format == "macho" else wanted
    names = {symbol.name for symbol in defined}
    if mangled not in names:
        near = sorted(name for name in names if name.endswith("library_bin"))
        found = f"it defines {', '.join(near)}" if near else "it has no symbol of that kind"
        raise UserError(
            f"{library.path}: does not define {mangled}, and {found}; "
            "was it compiled with another model_lib or another version of the compiler?"
        )


def _check_clashes(library: Library, defined: Iterable[Symbol], owners: dict[str, str]) -> None:
    """Two libraries with one strong symbol would fail to link into the app, or worse, mix."""
    for symbol in defined:
        if symbol.weak:
            continue
        owner = owners.setdefault(symbol.name, library.model_lib)
        if owner != library.model_lib:
            raise UserError(
                f"{library.path}: defines {symbol.name}, and so does the library {owner}; "
                "compile both with prefixed symbols"
            )
