"""Bazel modules that come with the private Bazel, in place of a module registry.

Debian packages the rule sets that Bazel itself names; they override whatever version the module
graph asks for. What the graph names and no build here needs is an empty module.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ..errors import LauncherError

PACKAGED = frozenset(
    {
        "bazel_features",
        "bazel_skylib",
        "platforms",
        "rules_cc",
        "rules_java",
        "rules_license",
        "rules_proto",
        "rules_python",
    }
)
"""The packaged modules that are in every module graph of Bazel 7.7.1.

An override of a module that is not in the graph is an error, so there are no others.
"""

_BUILDOZER = """\
def _empty_repository(repository_ctx):
    repository_ctx.file("BUILD.bazel", "")

_empty = repository_rule(_empty_repository)

def _buildozer_binary(_module_ctx):
    _empty(name = "buildozer_binary")

buildozer_binary = module_extension(_buildozer_binary)
"""

EMPTY: dict[str, dict[str, str]] = {
    "apple_support": {},
    "buildozer": {"buildozer_binary.bzl": _BUILDOZER},
    "protobuf": {},
    "zlib": {},
}
"""Modules that are in every module graph and not packaged: the files they need to be loaded."""

_MODULE_NAME = re.compile(r"^module\(\s*name\s*=\s*\"([^\"]+)\"", re.MULTILINE)


def write_empty_modules(folder: Path) -> None:
    """Writes the `EMPTY` modules as folders below ``folder``."""
    for name, files in EMPTY.items():
        module = folder / name
        module.mkdir(parents=True)
        (module / "MODULE.bazel").write_text(f'module(name = "{name}")\n', encoding="utf-8")
        (module / "BUILD.bazel").write_text("", encoding="utf-8")
        for path, text in files.items():
            (module / path).write_text(text, encoding="utf-8")


def drop_toolchains(module: Path) -> None:
    """Removes the statements of a module's MODULE.bazel that register toolchains.

    MODULE.bazel is a subset of Python as far as syntax goes.

    Args:
        module: The module's folder.
    """
    path = module / "MODULE.bazel"
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    for statement in reversed(ast.parse(text).body):
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        if "register_toolchains" in names:
            del lines[statement.lineno - 1 : statement.end_lineno]
    path.write_text("".join(lines), encoding="utf-8")


def find_modules(folder: Path) -> dict[str, Path]:
    """Returns the `PACKAGED` modules below Bazel's ``folder``, by name.

    Raises:
        LauncherError: One is missing.
    """
    found = {}
    for path in [*folder.glob("rules/*/MODULE.bazel"), *folder.glob("tools/*/MODULE.bazel")]:
        match = _MODULE_NAME.search(path.read_text(encoding="utf-8"))
        if match and match.group(1) in PACKAGED:
            found[match.group(1)] = path.parent
    missing = PACKAGED - found.keys()
    if missing:
        raise LauncherError(f"the packages hold no Bazel module {', '.join(sorted(missing))}")
    return found
