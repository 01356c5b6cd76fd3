"""--mlc-llm-source-dir: the runtime is built too, on a machine that was looked at before."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from tests.unit.mlc_package.test_command import LOCAL, config, steps


@pytest.fixture
def sources(command, tmp_path):
    """Sources of mlc-llm, and a machine that builds them for iOS; returns its PATH."""
    for path, text in {
        "ios/prepare_libs.sh": "",
        "3rdparty/tokenizers-cpp/CMakeLists.txt": "",
        "3rdparty/tvm/include/tvm/runtime/base.h": '#define TVM_VERSION "0.27.0"\n',
    }.items():
        (tmp_path / "mlc-llm" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mlc-llm" / path).write_text(text)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("cmake", "rustup", "xcrun"):
        (programs / name).write_text("#!/bin/sh\necho aarch64-apple-ios\n")
        (programs / name).chmod(0o755)
    (programs / "python3").symlink_to(sys.executable)
    for name in ("bash", "cat", "dirname", "expr", "sh"):
        (programs / name).symlink_to(shutil.which(name))
    asks(command, "iphone")
    return str(programs)


def asks(command, device):
    (command.app / "mlc-package-config.json").write_text(json.dumps({"device": device}))
    devices = device if isinstance(device, list) else [device]
    command.says(config(LOCAL, devices=devices))


def test_runtime_is_built(command, sources, tmp_path):
    done = command.run("--mlc-llm-source-dir", "../mlc-llm", PATH=sources)
    assert (done.returncode, done.stderr) == (0, "")
    assert steps(command) == ["package_config", "mlc_package"]
    assert command.asked()[-1].endswith(f" MLC_LLM_SOURCE_DIR={tmp_path}/mlc-llm")
    assert 'runtime_from_source = "0.27.0"' in command.module
    assert "build --action_env=PATH\n" in command.bazelrc
    assert command.run(MLC_LLM_SOURCE_DIR=str(tmp_path / "mlc-llm"), PATH=sources).returncode == 0
    assert 'runtime_from_source = "0.27.0"' in command.module
    command.run()
    assert 'runtime_from_source = ""' in command.module
    assert "action_env" not in command.bazelrc


def test_directories_are_where_the_user_is(command, sources, tmp_path):
    header = tmp_path / "tvm/include/tvm/runtime/base.h"
    header.parent.mkdir(parents=True)
    header.write_text('#define TVM_VERSION "0.28.0"\n')
    variables = {"PATH": sources, "TVM_SOURCE_DIR": "../tvm"}
    assert command.run("--mlc-llm-source-dir", "../mlc-llm", **variables).returncode == 0
    assert f" TVM_SOURCE_DIR={tmp_path}/tvm " in command.asked()[-1]
    assert 'runtime_from_source = "0.28.0"' in command.module


def test_what_is_missing_is_said_before_bazel_starts(command, sources, tmp_path):
    (tmp_path / "bin/cmake").unlink()
    (tmp_path / "bin/xcrun").unlink()
    done = command.run("--mlc-llm-source-dir", "../mlc-llm", PATH=sources)
    where = f"error: --mlc-llm-source-dir {tmp_path}/mlc-llm: "
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"{where}cmake: not on PATH; install it (Debian: cmake, Homebrew: cmake)",
        f"{where}xcrun: not on PATH; build on a Mac with Xcode",
    ]
    assert command.asked() == []


def test_each_device_of_the_file_is_looked_at(command, sources):
    asks(command, ["iphone", "macabi", "cpu"])
    done = command.run("--mlc-llm-source-dir", "../mlc-llm", PATH=sources)
    assert done.stderr.endswith(
        "rustup: its toolchain has no target aarch64-apple-ios-macabi; rustup update\n"
    )
    asks(command, ["iphone", "cpu"])
    assert command.run("--mlc-llm-source-dir", "../mlc-llm", PATH=sources).returncode == 0


@pytest.mark.parametrize("text", ['{"device": "cpu"}', '{"device": 3}', "[]", "{", "[" * 100000])
def test_device_without_a_runtime_and_file_with_mistakes(command, sources, text):
    """No tool is looked for; what is wrong with the file is said by the check of the file."""
    (command.app / "mlc-package-config.json").write_text(text)
    done = command.run("--mlc-llm-source-dir", "/none", PATH=sources)
    assert done.returncode == 0
    assert 'runtime_from_source = ""' in command.module
