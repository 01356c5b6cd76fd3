"""Protects ./bazelw itself: what it passes on, from where it can be called, and what it costs."""

from __future__ import annotations

import os
import subprocess
import time

import pytest

ARGUMENTS = ["run", "--x=a b", "", "//p:t", "--", "*", "$HOME", "-n", "a\"b'c\\", "--launcher-info"]


@pytest.fixture
def named(launcher) -> dict[str, str]:
    """The environment in which MLC_BAZEL names a Bazel that prints its arguments."""
    program = launcher.program(
        "my-bazel", 'printf "[%s]\\n" "$@"\necho "cwd=$PWD"\nexit "${FAKE_STATUS:-0}"'
    )
    return {"MLC_BAZEL": str(program)}


@pytest.fixture
def private(launcher) -> None:
    """The private Bazel is installed."""
    assert launcher.run("version").returncode == 0


def test_arguments_pass_through_unchanged(launcher, named):
    done = launcher.run(*ARGUMENTS, **named)
    assert done.stdout.splitlines()[:-1] == [f"[{argument}]" for argument in ARGUMENTS]
    assert done.stderr == ""


def test_the_private_bazel_gets_its_settings_before_the_arguments(launcher, private, tmp_path):
    done = launcher.run(*ARGUMENTS, cwd=tmp_path)
    (prefix,) = launcher.installs()
    lines = done.stdout.splitlines()
    assert lines[0] == f"cwd={tmp_path}"
    assert lines[-len(ARGUMENTS) :] == ARGUMENTS
    assert f"--bazelrc={prefix}/bazelrc" in lines[: -len(ARGUMENTS)]


def test_bazel_takes_the_place_of_the_launcher(launcher, private):
    """So that signals, and the terminal, are Bazel's own."""
    process = launcher.start("version")
    out, _ = process.communicate()
    assert f"pid={process.pid}\n" in out


@pytest.mark.parametrize("status", [0, 1, 3, 37, 255])
def test_the_exit_status_is_that_of_bazel(launcher, named, private, status):
    assert launcher.run("test", FAKE_STATUS=str(status), **named).returncode == status
    assert launcher.run("test", FAKE_STATUS=str(status)).returncode == status


def test_it_can_be_called_from_any_folder_and_through_links(launcher, named, tmp_path):
    folder = tmp_path / "some where"
    folder.mkdir()
    (folder / "absolute").symlink_to(launcher.tree / "bazelw")
    (folder / "relative").symlink_to("../tree/bazelw")
    (folder / "second").symlink_to("relative")
    calls = [launcher.tree / "bazelw", "../tree/bazelw", "./absolute", "./relative", "./second"]
    for call in calls:
        done = subprocess.run(
            [call, "--launcher-info"],
            cwd=folder,
            env=launcher.environment,
            capture_output=True,
            text=True,
        )
        assert f"launcher: {launcher.tree}/bazelw\n" in done.stdout, (call, done)
        done = subprocess.run(
            [call, "version"],
            cwd=folder,
            env={**launcher.environment, **named},
            capture_output=True,
            text=True,
        )
        assert f"cwd={folder}\n" in done.stdout, (call, done)


def test_it_can_be_found_on_path(launcher, named):
    (launcher.bin / "bzl").symlink_to(launcher.tree / "bazelw")
    done = subprocess.run(
        ["sh", "-c", "bzl version"],
        env={**launcher.environment, **named},
        capture_output=True,
        text=True,
    )
    assert done.stdout.startswith("[version]\n")


def test_a_machine_without_a_home_is_told_what_to_set(launcher):
    del launcher.environment["HOME"], launcher.environment["MLC_CACHE_HOME"]
    assert "none of MLC_CACHE_HOME, XDG_CACHE_HOME and HOME is set" in launcher.fails()
    done = launcher.run("--launcher-info", XDG_CACHE_HOME="/xdg")
    assert "cache: /xdg/rules_mlc/bazel\n" in done.stdout
    done = launcher.run("--launcher-info", HOME="/home/me")
    assert "cache: /home/me/.cache/rules_mlc/bazel\n" in done.stdout


def test_a_machine_without_python_is_told_so(launcher):
    (launcher.bin / "python3").unlink()
    assert "python3 missing" in launcher.fails()


def test_a_python_that_is_too_old_is_told_so(launcher):
    (launcher.bin / "python3").unlink()
    (launcher.bin / "python3").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (launcher.bin / "python3").chmod(0o755)
    assert f"{launcher.bin}/python3 is too old: put Python 3.10 or newer" in launcher.fails()


def test_the_info_installs_nothing(launcher, mirror):
    done = launcher.run("--launcher-info")
    assert done.returncode == 0
    assert "not installed yet" in done.stdout
    assert mirror.requests == []


def test_the_info_tells_what_is_installed(launcher, private):
    done = launcher.run("--launcher-info")
    (prefix,) = launcher.installs()
    assert f"program: {prefix}/usr/bin/bazel\n" in done.stdout
    assert "version: 7.7.1\n" in done.stdout
    assert f"made of: {prefix}/installed.json\n" in done.stdout


def test_the_machines_certificates_become_those_of_java(launcher, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    done = launcher.run("version", SSL_CERT_FILE=str(bundle))
    (store,) = (launcher.cache / f"trust{tmp_path}").glob("ca.pem.*.jks")
    assert f"--host_jvm_args=-Djavax.net.ssl.trustStore={store}\n" in done.stdout
    launcher.python_calls.unlink()
    launcher.run("version", SSL_CERT_FILE=str(bundle))
    assert not launcher.python_calls.exists()
    before = bundle.stat()
    bundle.write_text("-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n")
    os.utime(bundle, ns=(before.st_atime_ns, before.st_mtime_ns - 1))  # times do not count
    done = launcher.run("version", SSL_CERT_FILE=str(bundle))
    (other,) = store.parent.glob("ca.pem.*.jks")
    assert other != store
    assert f"--host_jvm_args=-Djavax.net.ssl.trustStore={other}\n" in done.stdout
    launcher.python_calls.unlink()
    launcher.run("version", SSL_CERT_FILE=str(bundle))
    assert not launcher.python_calls.exists()


def test_a_stand_in_is_used_only_where_there_is_no_c_compiler(launcher, private):
    (prefix,) = launcher.installs()
    flag = f"--bazelrc={prefix}/no-c-compiler.bazelrc"
    assert flag in launcher.run("version").stdout
    assert flag not in launcher.run("version", CC="/opt/cc").stdout
    launcher.program("gcc", "exit 0")
    assert flag not in launcher.run("version").stdout


def test_a_call_costs_little(launcher, private):
    """The aim is 50 ms; the best of many calls counts, so that a busy machine does no harm."""
    assert min(_seconds(launcher) for _ in range(15)) < 0.05


def _seconds(launcher) -> float:
    started = time.perf_counter()
    launcher.run("version")
    return time.perf_counter() - started
