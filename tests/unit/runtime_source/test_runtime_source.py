"""Upstream's scripts start only where all they need is there; what they make is taken."""

from __future__ import annotations

import os
import sys
import tarfile

import pytest

from tools import cli
from tools.runtime_source.__main__ import main

# Scripts that make what upstream's make, and say how they were called.
IOS = """\
echo "script $* in $MLC_LLM_SOURCE_DIR"
[ "$CRASH" ] && { echo "ld: symbol not found"; exit 1; }
case $1 in --catalyst) build=build-maccatalyst-$3 ;; *) build=build ;; esac
mkdir -p $build/lib
echo ios > $build/lib/libmlc_llm.a
"""
ANDROID = """\
import os, pathlib
archive = pathlib.Path("build/lib/libmodel_android.a").read_text()
output = pathlib.Path("build/output/arm64-v8a")
output.mkdir(parents=True)
(output / "libtvm4j_runtime_packed.so").write_text("linked " + archive)
"""


RUST = """\
aarch64-apple-ios (installed)
aarch64-apple-ios-macabi
aarch64-linux-android
x86_64-apple-ios-macabi"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with every tool, and mlc-llm's sources; returns the folder of its programs."""
    monkeypatch.chdir(tmp_path)
    for path, text in {
        "mlc-llm/ios/prepare_libs.sh": IOS,
        "mlc-llm/android/mlc4j/prepare_libs.py": ANDROID,
        "mlc-llm/android/mlc4j/build.gradle": "plugins",
        "mlc-llm/3rdparty/tokenizers-cpp/CMakeLists.txt": "",
        "mlc-llm/3rdparty/tvm/include/tvm/runtime/base.h": '\n#define TVM_VERSION "0.26.dev0"\n',
        "tvm/include/tvm/runtime/c_runtime_api.h": '#define TVM_VERSION "0.18.0"\n',
        "ndk/build/cmake/android.toolchain.cmake": "",
        "libmodel_android.a": "models",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("cmake", "javac", "xcrun"):
        _program(programs / name, "")
    _program(programs / "rustup", f"echo '{RUST}'")
    # The packages of the test's own Python are not of its business.
    _program(programs / "python3", f'[ "$1" = -c ] || exec {sys.executable} "$@"')
    for name in ("bash", "sh", "mkdir", "cat"):
        found = next(p for p in os.environ["PATH"].split(":") if os.path.exists(f"{p}/{name}"))
        (programs / name).symlink_to(os.path.realpath(f"{found}/{name}"))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("TVM_SOURCE_DIR", raising=False)
    monkeypatch.setenv("ANDROID_NDK", str(tmp_path / "ndk"))
    monkeypatch.setenv("MLC_LLM_SOURCE_DIR", "mlc-llm")
    return programs


def _program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def _run(device, path, *more, version="0.26.0"):
    common = ["--where", "//a:b", "--device", device, "--version", version, "--log", "log"]
    main([*common, "--file", path, "out", *more])


def _error(*arguments, **options):
    with pytest.raises(cli.UserError) as caught:
        _run(*arguments, **options)
    assert not os.path.exists("out")
    return str(caught.value)


@pytest.mark.parametrize(
    ("device", "arguments"),
    [
        ("iphone", ""),
        ("macabi", "--catalyst --arch arm64"),
        ("macabi:x86_64", "--catalyst --arch x86_64"),
    ],
)
def test_xcode(machine, tmp_path, device, arguments):
    _run(device, "libmlc_llm.a")
    assert (tmp_path / "out").read_text() == "ios\n"
    assert (tmp_path / "log").read_text() == f"script {arguments} in {tmp_path}/mlc-llm\n"


def test_android_links_the_packages_libraries(machine, tmp_path):
    archive = ("--model-archive", "libmodel_android.a")
    _run("android", "mlc4j/output/arm64-v8a/libtvm4j_runtime_packed.so", *archive)
    assert (tmp_path / "out").read_text() == "linked models"
    _run("android", "mlc4j/build.gradle", *archive)
    assert (tmp_path / "out").read_text() == "plugins"


@pytest.mark.parametrize(
    ("device", "script", "path", "other"),
    [
        ("iphone", "ios/prepare_libs.sh", "libmlc_llm.a", "libnew.a"),
        ("macabi", "ios/prepare_libs.sh", "libmlc_llm.a", "libnew.a"),
        (
            "android",
            "android/mlc4j/prepare_libs.py",
            "mlc4j/output/arm64-v8a/libtvm4j_runtime_packed.so",
            "mlc4j/output/arm64-v8a/libnew.so",
        ),
    ],
)
def test_no_library_is_left_out_silently(machine, capsys, device, script, path, other):
    """What sources make beyond the known list is said, with the list to give."""
    new = {
        "iphone": "echo new > $build/lib/libnew.a; echo text > $build/lib/README\n",
        "android": '(output / "libnew.so").touch()\n',
    }[device.replace("macabi", "iphone")]
    with open(f"mlc-llm/{script}", "a") as file:
        file.write(new)
    archive = () if device != "android" else ("--model-archive", "libmodel_android.a")
    _run(device, path, *archive, "--complete")
    assert capsys.readouterr().err == (
        f"warning: //a:b: upstream's script made {other}, too, which is left out; if the app needs "
        f'it, give mlc_runtime_from_source files = ["{path}", "{other}"]\n'
    )
    # Whoever lists files has chosen.
    _run(device, path, *archive)
    assert not capsys.readouterr().err


def test_archive(machine, tmp_path, monkeypatch):
    monkeypatch.delenv("MLC_LLM_SOURCE_DIR")
    with tarfile.open("source.tar.gz", "w:gz") as tar:
        tar.add("mlc-llm")
    _run("iphone", "libmlc_llm.a", "--source", "source.tar.gz")
    assert (tmp_path / "out").read_text() == "ios\n"


def test_everything_that_is_missing_is_said_at_once(machine, tmp_path, monkeypatch):
    for name in ("cmake", "javac", "rustup"):
        (machine / name).unlink()
    monkeypatch.delenv("ANDROID_NDK")
    (tmp_path / "mlc-llm/3rdparty/tokenizers-cpp/CMakeLists.txt").unlink()
    assert _error("android", "x").splitlines() == [
        "//a:b: cmake: not on PATH; install it (Debian: cmake, Homebrew: cmake)",
        "//a:b: javac: not on PATH; install a JDK (Debian: default-jdk-headless)",
        "//a:b: rustup: not on PATH; install it from rustup.rs",
        "//a:b: mlc-llm: has no submodules; git submodule update --init --recursive",
        "//a:b: ANDROID_NDK: not set; expected the NDK's directory (from Bazel: "
        "--action_env=ANDROID_NDK)",
    ]
    # No script was started.
    assert not (tmp_path / "log").exists()


def test_wrong_directories(machine, monkeypatch, tmp_path):
    monkeypatch.setenv("ANDROID_NDK", str(tmp_path))
    assert _error("android", "x") == (
        f"//a:b: ANDROID_NDK: {tmp_path} has no build/cmake/android.toolchain.cmake; "
        "expected the NDK's directory"
    )
    assert _error("iphone", "x", "--source", "bin") == (
        "//a:b: bin: has no ios/prepare_libs.sh; give the sources of mlc-llm"
    )
    monkeypatch.delenv("MLC_LLM_SOURCE_DIR")
    assert "no sources of mlc-llm; set attribute archive" in _error("iphone", "x")
    assert "is not a .tar of mlc-llm's sources" in _error("iphone", "x", "--source", "bin/cmake")


def test_xcode_without_the_sdk(machine):
    (machine / "xcrun").write_text("#!/bin/sh\nexit 1\n")
    assert _error("macabi", "x") == (
        "//a:b: Xcode: has no SDK macosx; install Xcode, then xcode-select --switch"
    )


def test_rust(machine):
    _program(machine / "rustup", "exit 1")
    assert _error("iphone", "x") == "//a:b: rustup: has no toolchain; rustup default stable"
    _program(machine / "rustup", "echo aarch64-apple-ios")
    assert _error("macabi", "x") == (
        "//a:b: rustup: its toolchain has no target aarch64-apple-ios-macabi; rustup update"
    )
    # The script for iOS looks there first.
    (machine / "rustup").unlink()
    _program(machine.parent / ".cargo/bin/rustup", f"echo '{RUST}'")
    _run("iphone", "libmlc_llm.a")


def test_python_without_mlc_llm(machine):
    _program(machine / "python3", "exit 1")
    assert "//a:b: python3: has no mlc_llm, which the script imports" in _error("android", "x")


def test_sources_of_another_tvm(machine, monkeypatch, tmp_path):
    """A runtime that is said to be of a TVM which it is not would crash in the app."""
    assert _error("iphone", "libmlc_llm.a", version="0.27.0") == (
        "//a:b: attribute version: is 0.27.0, and the sources have TVM 0.26.dev0; give that "
        "version, or TVM_SOURCE_DIR"
    )
    monkeypatch.setenv("TVM_SOURCE_DIR", "tvm")
    assert "the sources have TVM 0.18.0" in _error("iphone", "libmlc_llm.a")
    monkeypatch.setenv("TVM_SOURCE_DIR", "bin")
    assert _error("iphone", "libmlc_llm.a") == (
        "//a:b: bin: has no include/tvm/runtime/base.h; give TVM's sources"
    )


def test_deployment_target_of_mac_catalyst(machine, tmp_path, monkeypatch):
    monkeypatch.setenv("MLC_MACABI_DEPLOYMENT_TARGET", "17.0")
    _run("macabi", "libmlc_llm.a")
    expected = "script --catalyst --arch arm64 --deployment-target 17.0 in "
    assert (tmp_path / "log").read_text().startswith(expected)
    _run("iphone", "libmlc_llm.a")
    assert (tmp_path / "log").read_text().startswith("script  in ")


def test_script_that_fails(machine, tmp_path, monkeypatch):
    monkeypatch.setenv("CRASH", "1")
    assert _error("iphone", "libmlc_llm.a").splitlines() == [
        "//a:b: upstream's prepare_libs.sh failed; it ended with",
        f"//a:b: script  in {tmp_path}/mlc-llm",
        "//a:b: ld: symbol not found",
    ]
    assert "ld: symbol not found" in (tmp_path / "log").read_text()


def test_files_of_another_version(machine):
    assert _error("iphone", "libtvm_runtime.a") == (
        "//a:b: upstream's script made no libtvm_runtime.a; this version's files are others: "
        "list them in attribute files"
    )
