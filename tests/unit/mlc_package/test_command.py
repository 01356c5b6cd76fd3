"""./mlc-package asks Bazel for what the flags, the variables and the config mean to upstream."""

from __future__ import annotations

import os

import pytest

from tools.cli import UserError
from tools.mlc_package.__main__ import main

HUB = {"model_id": "one", "repo": "org/one", "model_lib": None}
LOCAL = {"model_id": "two", "repo": None, "model_lib": "my-lib"}


def config(*models, devices=("android",), libraries=()):
    named = dict.fromkeys(libraries, "x.tar")
    return {"devices": list(devices), "models": list(models), "libraries": named}


def steps(command) -> list[str]:
    """What Bazel was asked for: the last word of each label, or the command."""
    words = [line.split() for line in command.asked()]
    labels = [[word for word in line if "//" in word and word.startswith("@")] for line in words]
    return [
        found[0].rpartition("/")[2].rpartition(":")[2] if found else line[1]
        for found, line in zip(labels, words, strict=True)
    ]


def test_empty_folder(command):
    command.says(config(LOCAL))
    done = command.run()
    assert (done.returncode, done.stderr) == (0, "")
    assert steps(command) == ["package_config", "mlc_package"]
    check, build = command.asked()
    assert f"check {command.app}/mlc-package-config.json --name mlc-package-config.json" in check
    assert f"-- --output {command.app}/dist --name mlc-package" in build
    assert [path.name for path in command.app.iterdir()] == ["mlc-package-config.json"]
    assert f'directory = "{command.app}"' in command.module


def test_first_run_says_what_takes_its_time(command):
    """Bazel's progress is shown while it installs, which the check of the config would hide."""
    (command.home / "rules_mlc/bazel").rmdir()
    command.says(config(LOCAL), stderr="progress")
    done = command.run()
    assert done.stderr.startswith("preparing Bazel and the Python packages")
    assert "progress" in done.stderr
    assert [line.split()[1] for line in command.asked()] == ["build", "run", "run"]


def test_first_run_that_cannot_install(command):
    (command.home / "rules_mlc/bazel").rmdir()
    command.says(stderr="bazelw: error: no network", check_status=69)
    done = command.run()
    assert done.returncode == 69
    assert done.stderr.endswith("bazelw: error: no network")
    assert len(command.asked()) == 1


def test_flags(command):
    (command.app / "ios").mkdir()
    (command.app / "ios/c.json").write_text("{}")
    command.says(config(LOCAL))
    done = command.run("--package-config", "ios/c.json", "-o", "../out", "--strict")
    assert done.returncode == 0
    check, build = command.asked()
    assert "/my app/ios/c.json --name ios/c.json --strict" in check
    assert f"--output {command.app.parent}/out " in build
    assert "strict = True" in command.module


def test_several_devices_have_folders_of_their_own(command):
    command.says(config(LOCAL, devices=("android:adreno", "iphone")))
    assert command.run().returncode == 0
    assert steps(command) == ["package_config", "mlc_package_android_adreno", "mlc_package_iphone"]
    assert f"--output {command.app}/dist/iphone " in command.asked()[-1]
    command.says(config(LOCAL, devices=["cpu"]))
    assert command.run("--device", "cpu").returncode == 0
    assert "--device cpu" in command.asked()[0]
    assert f"--output {command.app}/dist " in command.asked()[-1]
    assert 'devices = ["cpu"]' in command.module


def test_machine_of_mac_catalyst(command):
    command.says(config(LOCAL, devices=["macabi"]))
    command.run()
    assert 'devices = ["macabi"]' in command.module
    command.run(MLC_MACABI_ARCH="x86_64")
    assert 'devices = ["macabi:x86_64"]' in command.module
    done = command.run(MLC_MACABI_ARCH="ppc")
    assert done.stderr == "error: MLC_MACABI_ARCH: expected arm64 or x86_64, got 'ppc'\n"


def test_mistakes_are_shown_without_bazel(command):
    command.says(stderr="INFO: x\nerror: c.json:1:1: $: a\nerror: c.json:1:2: b\n", check_status=1)
    done = command.run()
    assert done.returncode == 1
    assert done.stderr == "error: c.json:1:1: $: a\nerror: c.json:1:2: b\n"
    assert steps(command) == ["package_config"]


def test_warnings_and_the_exit_status_of_the_build(command):
    command.says(config(LOCAL), stderr="INFO: x\nwarning: c.json:1:1: a\n", build_status=3)
    done = command.run()
    assert (done.returncode, done.stderr) == (3, "warning: c.json:1:1: a\n")


def test_models_of_the_hub_are_locked_once(command):
    command.says(config(HUB))
    command.run()
    assert steps(command) == ["package_config", "lock", "mlc_package"]
    command.run()
    assert steps(command) == ["package_config", "mlc_package"]
    command.says(config(HUB, {**HUB, "repo": "org/two"}))
    command.run()
    assert steps(command) == ["package_config", "lock", "mlc_package"]


@pytest.mark.parametrize("variable", ["MLC_LLM_HOME", "MLC_LLM_READONLY_WEIGHT_CACHE"])
def test_what_upstream_downloaded_is_used(command, tmp_path, variable):
    folder = command.home / "model_weights" if variable == "MLC_LLM_HOME" else tmp_path / "cache"
    model = folder / "hf/org/one"
    model.mkdir(parents=True)
    (model / "mlc-chat-config.json").touch()
    variables = {} if variable == "MLC_LLM_HOME" else {variable: f"/none:{folder}"}
    command.says(config(HUB))
    assert command.run(**variables).returncode == 0
    assert steps(command) == ["package_config", "mlc_package"]
    assert f'cached = {{"org/one": "{model}"}}' in command.module


def test_what_was_fetched_anew_stays(command):
    """Upstream removes its own directory then; ours is left alone, and out of use."""
    model = command.home / "model_weights/hf/org/one"
    model.mkdir(parents=True)
    (model / "mlc-chat-config.json").touch()
    command.says(config(HUB))
    command.run(MLC_DOWNLOAD_CACHE_POLICY="REDO")
    assert steps(command) == ["package_config", "lock", "mlc_package"]
    command.run()
    assert steps(command) == ["package_config", "mlc_package"]
    assert "cached = {}" in command.module


def test_download_policy(command):
    command.says(config(HUB))
    done = command.run(MLC_DOWNLOAD_CACHE_POLICY="OFF")
    assert done.stderr.startswith("error: MLC_DOWNLOAD_CACHE_POLICY=OFF: org/one is a model of the")
    assert steps(command) == ["package_config"]
    command.run(MLC_DOWNLOAD_CACHE_POLICY="READONLY")
    assert all(line.endswith("HF_HUB_OFFLINE=1") for line in command.asked()[1:])
    command.run(MLC_DOWNLOAD_CACHE_POLICY="REDO")
    assert steps(command) == ["package_config", "lock", "mlc_package"]
    assert "--noremote_accept_cached" in command.asked()[-1]
    command.says(config(LOCAL))
    assert command.run(MLC_DOWNLOAD_CACHE_POLICY="OFF").returncode == 0


def test_jit_policy(command):
    command.says(config(LOCAL))
    done = command.run(MLC_JIT_POLICY="OFF")
    assert done.stderr.startswith("error: MLC_JIT_POLICY=OFF: the library of two would be compiled")
    command.says(config(LOCAL, libraries=["my_lib"]))
    assert command.run(MLC_JIT_POLICY="OFF").returncode == 0
    command.run(MLC_JIT_POLICY="READONLY")
    assert "--check_up_to_date" in command.asked()[2]
    assert steps(command) == ["package_config", *["mlc_package"] * 3]
    command.says(up_to_date_status=1)
    done = command.run(MLC_JIT_POLICY="READONLY")
    assert done.stderr == (
        "error: MLC_JIT_POLICY=READONLY: not every library was compiled before; set it to ON once\n"
    )
    assert len(command.asked()) == 3


def test_redo_forgets_this_app_and_no_other(command):
    command.says(config(LOCAL))
    command.run()
    outputs = command.home / "rules_mlc/bazel/0/execroot/_main/bazel-out/k8/bin/external"
    name = command.module.rpartition('use_repo(mlc, "')[2].partition('"')[0]
    compiled = {}
    for app in (name, "app_other"):
        (outputs / f"rules_mlc~~mlc~{app}").mkdir(parents=True)
        folder = outputs.parents[2] / f"k8-{app}/bin/external/rules_mlc~/rules/private"
        folder.mkdir(parents=True)
        compiled[app] = folder / "library.tar"
        compiled[app].touch()
        (outputs / f"rules_mlc~~mlc~{app}/model_lib.tar").symlink_to(compiled[app])
    command.run(MLC_JIT_POLICY="REDO")
    assert [path.name for path in outputs.iterdir()] == ["rules_mlc~~mlc~app_other"]
    assert [app for app, library in compiled.items() if library.exists()] == ["app_other"]
    assert steps(command) == ["package_config", "shutdown", "mlc_package"]
    assert "--noremote_accept_cached" in command.asked()[-1]


@pytest.mark.parametrize("name", ["MLC_JIT_POLICY", "MLC_DOWNLOAD_CACHE_POLICY"])
def test_policy_that_is_none(command, name):
    done = command.run(**{name: "on"})
    assert done.stderr == f"error: {name}: expected ON, OFF, REDO or READONLY, got 'on'\n"
    assert command.asked() == []


def test_no_config(command):
    (command.app / "mlc-package-config.json").unlink()
    done = command.run()
    assert done.returncode == 1
    assert done.stderr == (
        "error: --package-config mlc-package-config.json: there is no such file; expected an "
        "mlc-package-config.json\n"
    )
    assert not (command.home / "rules_mlc/workspace").exists()


def test_through_a_link(command, tmp_path):
    (tmp_path / "link").symlink_to(command.program)
    command.program = tmp_path / "link"
    assert command.run().returncode == 0


def test_settings_of_another_release_are_replaced_before_bazel_reads_them(command):
    command.run()
    written = command.bazelrc
    path = command.home / "rules_mlc/workspace/.bazelrc"
    path.write_text("import /none\n")
    command.says(stderr="error: a mistake\n", check_status=1)
    command.run()
    assert command.bazelrc == written


def test_two_apps_have_repositories_of_their_own(command):
    command.run()
    first = command.module
    (command.app / "other.json").write_text("{}")
    command.run("--package-config", "other.json")
    assert command.module != first


def test_output_that_cannot_be_written_is_found_before_the_build(command):
    command.says(config(LOCAL))
    (command.app / "file").write_text("")
    done = command.run("-o", "file/dist")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: --output file/dist: {command.app}/file is no folder; expected a folder, or none "
        "yet\n"
    )
    assert steps(command) == []


def test_output_folder_that_may_not_be_written(command, monkeypatch):
    monkeypatch.chdir(command.app)
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(UserError) as caught:
        main(["-o", "out/dist"])
    assert str(caught.value) == (
        f"--output out/dist: {command.app} cannot be written; give another folder, or the "
        "right to write there"
    )


def test_python_that_is_too_old(command, tmp_path):
    """It could not even read the program, so the script asks it first."""
    old = tmp_path / "old"
    old.mkdir()
    (old / "python3").write_text("#!/bin/sh\nexit 1\n")
    (old / "python3").chmod(0o755)
    done = command.run(PATH=f"{old}:{os.environ['PATH']}")
    assert (done.returncode, done.stderr) == (
        1,
        f"error: {old}/python3 is too old; install CPython 3.10 to 3.13 with pip\n",
    )
