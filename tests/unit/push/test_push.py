"""A push puts onto the device what it lacks, whole files only, and nothing twice."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

from tools import cli
from tools.push.__main__ import main

ID = "com.example.app"
FILES = f"storage/emulated/0/Android/data/{ID}/files"


class Phone:
    """A package, and a device of which only adb knows."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self.folder = folder
        self.device = folder / "device"
        (self.device / "data/local/tmp").mkdir(parents=True)
        self.package = folder / "package"
        self.log = folder / "log"
        self.adb = folder / "adb"
        fake = Path(__file__).with_name("fake_adb.py")
        self.adb.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{fake}" "$@"\n')
        self.adb.chmod(0o755)
        monkeypatch.setenv("FAKE_DEVICE", str(self.device))
        monkeypatch.setenv("FAKE_LOG", str(self.log))
        monkeypatch.setenv("FAKE_DEVICES", "emulator-5554\tdevice")
        self.make(**{"phi/params_shard_0.bin": "weights", "phi/tokenizer.json": "{}"})

    def make(self, **files: str) -> None:
        """Writes the package: these files in bundle/, an app config and a library."""
        everything = {f"bundle/{path}": text for path, text in files.items()}
        everything |= {"bundle/mlc-app-config.json": "{}", "lib/libmodel_android.a": "x"}
        entries = []
        for path, text in everything.items():
            target = self.package / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
            digest = hashlib.sha256(text.encode()).hexdigest()
            entries.append({"path": path, "nbytes": len(text.encode()), "sha256": digest})
        manifest = self.package / "package-manifest.json"
        manifest.write_text(json.dumps({"files": entries}))

    def push(self, *more: str) -> list[str]:
        """Pushes; returns the commands that adb was given."""
        self.log.write_text("")
        main(
            [
                *("--manifest", str(self.package / "package-manifest.json")),
                *("--root", str(self.package), "--application-id", ID),
                *("--adb", str(self.adb), *more),
            ]
        )
        return self.log.read_text().splitlines()

    def error(self, *more: str) -> str:
        """Returns the error of a push that must fail."""
        with pytest.raises(cli.UserError) as caught:
            self.push(*more)
        return str(caught.value)

    def files(self) -> dict[str, str]:
        """Returns every file on the device."""
        return {
            path.relative_to(self.device).as_posix(): path.read_text()
            for path in self.device.rglob("*")
            if path.is_file()
        }


@pytest.fixture
def phone(tmp_path, monkeypatch) -> Phone:
    return Phone(tmp_path, monkeypatch)


def _pushes(commands: list[str]) -> int:
    return sum(" push " in command for command in commands)


def test_models_and_nothing_else(phone, capsys):
    assert _pushes(phone.push()) == 2
    assert phone.files() == {
        f"{FILES}/phi/params_shard_0.bin": "weights",
        f"{FILES}/phi/tokenizer.json": "{}",
    }
    out = capsys.readouterr().out
    assert out == f"/{FILES}: 2 files: 2 pushed (0.0 MB), 0 up to date\n"


def test_what_is_there_is_not_pushed_again(phone, capsys):
    phone.push()
    assert _pushes(phone.push()) == 0
    assert "0 pushed (0.0 MB), 2 up to date" in capsys.readouterr().out


def test_changed_file_of_the_same_size(phone):
    phone.push()
    phone.make(**{"phi/params_shard_0.bin": "WEIGHTS", "phi/tokenizer.json": "{}"})
    assert _pushes(phone.push()) == 1
    assert phone.files()[f"{FILES}/phi/params_shard_0.bin"] == "WEIGHTS"


def test_file_that_was_cut_off_on_the_device(phone):
    phone.push()
    (phone.device / FILES / "phi/params_shard_0.bin").write_text("wei")
    assert _pushes(phone.push()) == 1
    assert phone.files()[f"{FILES}/phi/params_shard_0.bin"] == "weights"


def test_names_that_a_shell_would_split(phone):
    phone.make(**{"my model (1)/it's $HOME.bin": "x"})
    phone.push()
    assert phone.files()[f"{FILES}/my model (1)/it's $HOME.bin"] == "x"
    assert _pushes(phone.push()) == 0


def test_old_device_that_prints_errors_among_the_answers(phone, monkeypatch):
    phone.push()
    monkeypatch.setenv("FAKE_NOISE", "find: ./cache: Permission denied\nnoise\n")
    assert _pushes(phone.push()) == 0


def test_device_without_sha256sum(phone, monkeypatch, capsys):
    phone.push()
    (phone.device / FILES / "phi/params_shard_0.bin").write_text("WEIGHTS")
    monkeypatch.setenv("FAKE_FAIL", "sha256sum")
    assert _pushes(phone.push()) == 0
    assert "has no sha256sum: files of the right size are taken" in capsys.readouterr().err


def test_failed_push_leaves_nothing_half_written(phone, monkeypatch):
    monkeypatch.setenv("FAKE_FAIL", "tokenizer.json")
    assert phone.error() == (
        "adb: pushing phi/tokenizer.json failed: "
        "adb: error: failed to copy: No space left on device"
    )
    assert list(phone.files()) == [f"{FILES}/phi/params_shard_0.bin"]
    monkeypatch.delenv("FAKE_FAIL")
    assert _pushes(phone.push()) == 1


def test_dry_run(phone, capsys):
    assert _pushes(phone.push("--dry-run")) == 0
    assert phone.files() == {}
    assert capsys.readouterr().out.splitlines() == [
        "would push phi/params_shard_0.bin",
        "would push phi/tokenizer.json",
        f"/{FILES}: 2 files: 2 to push (0.0 MB), 0 up to date",
    ]


def test_serial(phone, monkeypatch):
    monkeypatch.setenv("FAKE_DEVICES", "one\tdevice\ntwo\tdevice\nthree\tunauthorized")
    assert phone.error() == "adb: 2 devices are connected: one, two; give --serial"
    assert all(c == "devices" or c.startswith("-s two ") for c in phone.push("--serial", "two"))
    assert phone.error("--serial", "three") == (
        "--serial: the device three is unauthorized; ready: one, two"
    )
    assert phone.error("--serial", "four") == (
        "--serial: the device four is not connected; ready: one, two"
    )


@pytest.mark.parametrize(
    ("devices", "state"),
    [("", "none is connected"), ("one\tunauthorized", "one is unauthorized")],
)
def test_no_device(phone, monkeypatch, devices, state):
    monkeypatch.setenv("FAKE_DEVICES", devices)
    assert phone.error() == (
        f"adb: no device is ready: {state}; connect one and allow USB debugging on it"
    )


def test_no_adb(phone, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    assert phone.error("--adb", "adb") == (
        "adb: no program adb; install Android's platform-tools and put them on PATH, or give --adb"
    )


def test_something_else_as_the_manifest(phone):
    manifest = phone.package / "package-manifest.json"
    manifest.write_text("[]")
    assert phone.error() == (
        f"{manifest}: is not a package manifest; expected an object with files"
    )


def test_package_without_weights(phone):
    phone.make()
    assert phone.error().endswith(
        "package-manifest.json: bundles no weights; set bundle_weight of its models"
    )
    assert phone.log.read_text() == ""
