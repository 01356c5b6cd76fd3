"""Build settings for Xcode: what to link, and what an archive build must not strip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tools.archive.symbols import defined_symbols
from tools.library import ar_reader

_XCCONFIG = """\
// Build settings for the models of {where}. Generated; changes are lost.
//
// Take them into a configuration of yours with
//   #include "dist/app/mlc.xcconfig"
// and set MLC_DIST there if dist/ is not beside the project.

MLC_DIST = $(PROJECT_DIR)/dist

LIBRARY_SEARCH_PATHS = $(inherited) "$(MLC_DIST)/lib"

// Libraries register themselves when the app starts and nothing refers to them, hence -all_load.
// With -u, one that is missing fails to link instead of failing on the phone.
OTHER_LDFLAGS = $(inherited) {flags}

// Archive builds, which TestFlight gets, would strip global symbols, too.
STRIP_STYLE = non-global

// For a target that exports a list of symbols, the file to append to it; without a list of its own:
//   EXPORTED_SYMBOLS_FILE = $(MLC_EXPORTED_SYMBOLS_FILE)
MLC_EXPORTED_SYMBOLS_FILE = $(MLC_DIST)/app/exported_symbols.txt
"""


def xcconfig(where: str, entries: Sequence[str], libraries: Sequence[str]) -> str:
    """Returns the text of ``mlc.xcconfig``.

    Args:
        where: The package's target.
        entries: The symbol of each model library, without Mach-O's leading underscore.
        libraries: File names of the static libraries to link, such as ``libmodel_iphone.a``.
    """
    names = [name.removeprefix("lib").removesuffix(".a") for name in libraries]
    flags = [
        "-Wl,-all_load",
        *[f"-l{name}" for name in names],
        *[f"-Wl,-u,_{entry}" for entry in entries],
    ]
    return _XCCONFIG.format(where=where, flags=" ".join(flags))


def exported_symbols(archive: str) -> str:
    """Returns the list of the global symbols that the model libraries define, as ld takes it.

    Args:
        archive: ``libmodel_iphone.a``.
    """
    names: set[str] = set()
    for name, data in ar_reader.members(Path(archive).read_bytes(), archive):
        found = defined_symbols(data, "macho", f"{archive}: {name}")
        names.update(symbol.name for symbol in found if not symbol.weak)
    return "".join(f"{name}\n" for name in sorted(names))
