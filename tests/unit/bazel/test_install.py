"""Protects the private Bazel's install: complete, once, and resumed, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.bazel.archive import SIGNED
from tools.bazel.prefix import packages

# How many installs are killed at random, and the seed of the moments.
KILLS = int(os.environ.get("MLC_TEST_KILLS") or 2)
SEED = int(os.environ.get("MLC_TEST_SEED") or 1)

INDEX = "dists/forky/InRelease"


def kill(process: subprocess.Popen) -> None:
    """Kills a launcher and all that it started."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def wait_until(condition, process: subprocess.Popen) -> None:
    """Waits for a condition while a process runs."""
    deadline = time.monotonic() + 30
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_install_is_complete_and_refers_to_its_final_place(launcher):
    done = launcher.run("build", "//x")
    assert done.returncode == 0, done.stderr
    (prefix,) = launcher.installs()
    assert f"--install_base={prefix}/usr/share/bazel" in done.stdout
    assert f"--server_javabase={prefix}/jre" in done.stdout
    assert done.stdout.endswith("build\n//x\n")
    class_path = (prefix / "usr/share/bazel/bazel_classpath_debian_depends.txt").read_text()
    assert len(class_path.splitlines()) > 10
    settings = (prefix / "bazelrc").read_text()
    assert f"--override_module=rules_python={prefix}/usr/share/bazel/rules/python\n" in settings
    assert f"--override_module=zlib={prefix}/modules/zlib\n" in settings
    assert ".building" not in class_path + settings
    for line in class_path.splitlines():
        assert Path(line).exists(), line
    assert not (prefix / "usr/share/doc").exists()


def test_it_says_what_it_does_with_sizes(launcher):
    done = launcher.run("version")
    assert f"installing a private Bazel {packages.BAZEL}" in done.stderr
    assert "MB, 100%" in done.stderr
    assert done.stderr.count("\n") < 30


def test_the_second_call_starts_no_python_and_needs_no_network(launcher, mirror):
    launcher.run("version")
    launcher.python_calls.unlink()
    mirror.requests.clear()
    done = launcher.run("version", MLC_DEBIAN_MIRROR="http://127.0.0.1:9/debian")
    assert done.returncode == 0
    assert done.stderr == ""
    assert not launcher.python_calls.exists()
    assert mirror.requests == []


def test_a_change_of_what_it_is_made_of_makes_a_new_install(launcher):
    launcher.run("version")
    with open(launcher.prefix / "requirements.txt", "a") as file:
        file.write("# a change\n")
    launcher.run("version")
    assert len(launcher.installs()) == 2


def test_the_locked_packages_are_taken_without_the_index(launcher, mirror):
    launcher.run("version")
    assert mirror.offsets(INDEX) == []


def test_a_package_gone_from_the_mirror_is_looked_up_in_the_signed_index(launcher, mirror, archive):
    lock = launcher.prefix / "packages.lock.json"
    pins = json.loads(lock.read_text())
    gone = pins[archive.machine.debian]["zlib1g"]
    gone.update(path=gone["path"].replace("1.0-1", "0.9-1"), version="0.9-1", sha256="0" * 64)
    lock.write_text(json.dumps(pins))
    done = launcher.run("version")
    assert done.returncode == 0, done.stderr
    assert "the mirror no longer has" in done.stderr
    (prefix,) = launcher.installs()
    contents = json.loads((prefix / "installed.json").read_text())
    assert contents["packages"]["zlib1g"] == "1.0-1"
    assert mirror.offsets(archive.path("bazel-bootstrap-data")) == [0]


@pytest.mark.parametrize("tampered", [True, False])
def test_an_index_without_a_good_signature_is_refused(launcher, mirror, tampered):
    (launcher.prefix / "packages.lock.json").unlink()
    keyring = SIGNED / "stranger.gpg"
    if tampered:
        keyring = SIGNED / "archive.gpg"
        mirror.files[INDEX] = mirror.files[INDEX].replace(b"Origin: Test", b"Origin: Evil")
    error = launcher.fails(MLC_DEBIAN_KEYRING=str(keyring))
    assert "signature wrong" in error
    assert launcher.installs() == []


def test_without_gpgv_the_index_is_not_trusted(launcher):
    (launcher.prefix / "packages.lock.json").unlink()
    (launcher.bin / "gpgv").unlink()
    assert "gpgv missing" in launcher.fails()


def test_without_a_keyring_the_index_is_not_trusted(launcher):
    (launcher.prefix / "packages.lock.json").unlink()
    assert "keyring missing" in launcher.fails(MLC_DEBIAN_KEYRING="/nowhere.gpg")


def test_an_index_that_the_signature_does_not_name_is_refused(launcher, mirror, archive):
    (launcher.prefix / "packages.lock.json").unlink()
    for path in mirror.files:
        if "Packages.xz" in path or "by-hash" in path:
            mirror.files[path] = mirror.files[path][:-1] + b"?"
    assert "sha256 mismatch" in launcher.fails()


def test_a_package_with_wrong_bytes_is_refused(launcher, mirror, archive):
    path = archive.path("libgcc-s1")
    mirror.faults[path] = ["corrupt"] * 9
    assert "sha256 mismatch" in launcher.fails()
    assert launcher.installs() == []
    mirror.faults.clear()
    assert launcher.run("version").returncode == 0


def test_killed_in_a_download_it_goes_on_where_it_was(launcher, mirror, archive):
    path = archive.path("bazel-bootstrap-data")
    mirror.faults[path] = ["stalled"]
    process = launcher.start("version")
    half = len(mirror.files[path]) // 2
    (package,) = (one for one in archive.packages if one.path == path)
    part = launcher.cache / "packages" / f"{package.sha256}.part"
    wait_until(lambda: part.exists() and part.stat().st_size == half, process)
    kill(process)
    assert launcher.installs() == []
    done = launcher.run("version")
    assert done.returncode == 0, done.stderr
    assert mirror.offsets(path) == [0, half]
    assert not part.exists()


def test_killed_while_unpacking_it_starts_that_anew_and_leaves_nothing(launcher, mirror, tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    process = launcher.start("version", HOLD=str(hold))
    wait_until(lambda: any(launcher.cache.glob("bazel-*.building/patchelf")), process)
    kill(process)
    hold.unlink()
    assert len(list(launcher.cache.glob("*.building"))) == 1
    requests = len(mirror.requests)
    done = launcher.run("version")
    assert done.returncode == 0, done.stderr
    assert len(mirror.requests) == requests
    (prefix,) = launcher.installs()
    assert prefix.suffix != ".building"


def contents(launcher) -> dict[str, bytes | str]:
    """Returns every file and link of the install, by its path."""
    (prefix,) = launcher.installs()
    return {
        str(path.relative_to(prefix)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in prefix.rglob("*")
        if path.is_symlink() or path.is_file()
    }


def test_killed_at_any_moment_it_is_completed_by_the_next(launcher):
    choose = random.Random(SEED)
    started = time.monotonic()
    assert launcher.run("version").returncode == 0
    seconds = time.monotonic() - started
    print(f"seed {SEED}; moments of the {seconds:.2f} s that an install takes")
    clean = contents(launcher)
    for _ in range(KILLS):
        shutil.rmtree(launcher.cache)
        process = launcher.start("version")
        moment = choose.uniform(0, seconds)
        time.sleep(moment)
        kill(process)
        left = sorted(path.name for path in launcher.cache.glob("*"))
        print(f"{moment:.2f} s, exit status {process.returncode}, left: {left}")
        done = launcher.run("version")
        assert done.returncode == 0, done.stderr
        assert contents(launcher) == clean


def test_a_failure_while_putting_it_together_leaves_nothing(launcher):
    assert "patchelf failed on " in launcher.fails(FAKE_PATCHELF_STATUS="1")
    assert launcher.installs() == []


def test_two_at_once_install_once(launcher, mirror, tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    first = launcher.start("version", HOLD=str(hold))
    wait_until(lambda: any(launcher.cache.glob("bazel-*.building/patchelf")), first)
    second = launcher.start("version")
    line = second.stderr.readline()
    assert "another bazelw is installing" in line
    hold.unlink()
    for process in (first, second):
        out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert out.endswith("version\n")
    assert len(launcher.installs()) == 1
    paths = [path for path, _ in mirror.requests]
    assert len(paths) == len(set(paths))


def test_a_full_disk_is_one_clear_line_and_leaves_nothing_half_made(launcher):
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [launcher.tree / "bazelw", "version"],
        env=launcher.environment,
        preexec_fn=limit,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 69
    errors = [line for line in done.stderr.splitlines() if "error" in line]
    assert len(errors) == 1
    assert "disk full" in errors[0]
    assert launcher.installs() == []
    assert launcher.run("version").returncode == 0


def test_no_network_is_one_clear_line(launcher):
    error = launcher.fails(MLC_DEBIAN_MIRROR="http://127.0.0.1:9/debian")
    assert "no network" in error


def test_without_pip_nothing_is_downloaded(launcher, mirror, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    launcher.program("python3", f'exec {tmp_path}/bare/bin/python "$@"')
    assert "pip missing" in launcher.fails()
    assert mirror.requests == []


def test_a_wheel_that_is_not_the_locked_one_is_refused(launcher):
    requirements = launcher.prefix / "requirements.txt"
    text = requirements.read_text()
    digest = text.split("sha256:")[1].split()[0]
    requirements.write_text(text.replace(digest, "0" * 64))
    assert "sha256 mismatch: pip" in launcher.fails()
    assert launcher.installs() == []


def test_an_unsupported_machine_is_one_clear_line(launcher, mirror, tmp_path):
    (tmp_path / "sitecustomize.py").write_text(
        "import platform\nplatform.machine = lambda: 'riscv64'\n"
    )
    error = launcher.fails(PYTHONPATH=str(tmp_path))
    assert "unsupported machine: Linux on riscv64" in error
    assert mirror.requests == []


def test_installs_of_other_launchers_go_when_unused_for_a_month(launcher):
    old, recent = launcher.cache / "bazel-old", launcher.cache / "bazel-recent"
    for folder in (old, recent):
        folder.mkdir(parents=True)
        (folder / "last-used").touch()
    month_ago = time.time() - 31 * 24 * 3600
    os.utime(old / "last-used", (month_ago, month_ago))
    launcher.run("version")
    assert not old.exists()
    assert recent.exists()


def test_an_install_that_cannot_be_written_can_be_used(launcher):
    launcher.run("version")
    (prefix,) = launcher.installs()
    (prefix / "last-used").unlink()
    (prefix / "last-used").mkdir()  # that no one can open for writing, not even root
    done = launcher.run("version")
    assert (done.returncode, done.stderr) == (0, "")
