"""Protects the private Bazel's folder: what is in it, and the checks before it is used."""

from __future__ import annotations

import subprocess
import zipfile

import pytest

from tests.unit.bazel.archive import deb, fake_wheels
from tools.bazel.errors import LauncherError
from tools.bazel.prefix import modules
from tools.bazel.prefix.assemble import assemble


@pytest.fixture
def assembled(archive, tmp_path):
    """Assembles the archive's packages, with some replaced, for the folder ``/final``."""

    def assembled(**replaced: bytes):
        build = tmp_path / "build"
        build.mkdir()
        debs, wheels = {}, {}
        for package in archive.packages:
            debs[package.name] = tmp_path / f"{package.name}.deb"
            body = replaced.get(package.name.replace("-", "_"), archive.files[package.path])
            debs[package.name].write_bytes(body)
        for name, body in fake_wheels().items():
            wheels[name.split("-")[0]] = tmp_path / name
            (tmp_path / name).write_bytes(body)
        final = tmp_path / "final"
        assemble(build, final, debs, wheels, archive.machine)
        return build

    return assembled


def test_every_module_of_the_graph_is_overridden(assembled, tmp_path):
    build = assembled()
    lines = (build / "bazelrc").read_text().splitlines()
    prefix = "common --override_module="
    overrides = dict(line[len(prefix) :].split("=") for line in lines if line.startswith(prefix))
    assert overrides.keys() == modules.PACKAGED | modules.EMPTY.keys()
    for name, folder in overrides.items():
        text = (build / folder.removeprefix(f"{tmp_path}/final/") / "MODULE.bazel").read_text()
        assert f'name = "{name}"' in text


def test_the_server_is_started_with_what_makes_it_start_fast(assembled):
    lines = (assembled() / "bazelrc").read_text().splitlines()
    options = [line.split("=", 1)[1] for line in lines if line.startswith("startup ")]
    assert [option[:3] for option in options] == ["-XX", "-XX"]


def test_bazel_is_told_its_version(assembled, tmp_path):
    build = assembled()
    class_path = (build / "usr/share/bazel/bazel_classpath_debian_depends.txt").read_text()
    assert class_path.splitlines()[-1] == f"{tmp_path}/final/resources.jar"
    with zipfile.ZipFile(build / "resources.jar") as jar:
        assert jar.read("build-data.properties") == b"build.label=7.7.1\n"
        assert [info.date_time[0] for info in jar.infolist()] == [1980]


def test_only_the_java_rules_register_no_toolchains(assembled):
    base = assembled() / "usr/share/bazel"
    files = [*base.glob("rules/*/MODULE.bazel"), *base.glob("tools/*/MODULE.bazel")]
    without = [path for path in files if "register_toolchains" not in path.read_text()]
    assert without == [base / "rules/java/MODULE.bazel"]


def test_every_form_of_registering_toolchains_is_dropped_and_nothing_else(tmp_path):
    kept = """\
module(name = "m")  # not register_toolchains

JDKS = {"8": ["linux"]}
[use_repo(
    extension,
    name,
) for name in JDKS]

# The last line.
use_repo(extension, "register_toolchains")
"""
    dropped = """\
register_toolchains("//:all")
register_toolchains(
    "@jdk//:a",
    # A comment.
    "@jdk//:b",
    dev_dependency = True,
)
[register_toolchains("@" + name + "//:all") for name in JDKS]
[
    register_toolchains("@%s//:all" % name)
    for name in JDKS
    if name
]
"""
    path = tmp_path / "MODULE.bazel"
    path.write_text(kept.replace("\n\n", f"\n{dropped}\n"))
    modules.drop_toolchains(tmp_path)
    assert path.read_text() == kept


def test_zstd_lies_in_the_install_base(assembled):
    build = assembled()
    assert (build / "usr/share/bazel/libzstd-jni.so").resolve().name == "libzstd-jni.so.1"


def test_programs_are_given_the_loader_and_libraries_of_the_final_place(
    assembled, tmp_path, monkeypatch
):
    calls = []
    run = subprocess.run

    def recorded(command, **options):
        calls.append([str(word) for word in command])
        return run(command, **options)

    monkeypatch.setattr("tools.bazel.prefix.libraries.subprocess.run", recorded)
    assembled()
    (java,) = (call for call in calls if call[-1].endswith("bin/java"))
    loader, rpath = java[2], java[5]
    assert loader.startswith(f"{tmp_path}/final/usr/lib/")
    assert rpath.startswith(f"$ORIGIN/../lib:{tmp_path}/final/usr/lib/")
    (library,) = (call for call in calls if call[-1].endswith("libzstd-jni.so.1"))
    assert "--set-interpreter" not in library


def test_a_missing_library_is_named(assembled, archive):
    loader = f"usr/lib/{archive.machine.triplet}/{archive.machine.loader}"
    script = b'#!/bin/sh\necho "  libblake3.so.0 => not found"\n'
    with pytest.raises(LauncherError, match=r"incomplete: \S+ needs libblake3\.so\.0;"):
        assembled(libc6=deb({loader: script}))


def test_a_missing_module_is_named(assembled):
    with pytest.raises(LauncherError, match="no Bazel module rules_python"):
        assembled(bazel_rules_python=deb({}))


def test_a_missing_loader_is_named(assembled):
    with pytest.raises(LauncherError, match="the package libc6 holds no usr/lib/"):
        assembled(libc6=deb({}))


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["-E", "-xc++", "-", "-v"], 0),
        (["-Wall", "-o", "/dev/null", "-c", "empty.cc"], 0),
        (["-c", "main.cc", "-o", "main.o"], 1),
        (["@link.params"], 1),
    ],
)
def test_the_stand_in_for_a_compiler_answers_questions_and_compiles_nothing(
    assembled, arguments, status
):
    stand_in = assembled() / "no-c-compiler"
    done = subprocess.run([stand_in, *arguments], capture_output=True, text=True)
    assert done.returncode == status
    assert ("install gcc or clang" in done.stderr) == bool(status)
