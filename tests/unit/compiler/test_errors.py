"""What goes wrong is one line that names it, and leaves no half-written file."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import tvm

from tools.cli import UserError
from tools.compiler import compile as compile_
from tools.compiler import pipeline
from tools.compiler.__main__ import main
from tools.compiler.compile import compile_library
from tools.compiler.families import create_model
from tools.compiler.link import linked_bytes
from tools.compiler.quantization import create_quantization

CPU = tvm.target.Target({"kind": "llvm", "mtriple": "x86_64-linux-gnu"})


def one_line(error: pytest.ExceptionInfo[UserError]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_unknown_family(small_key):
    """A family without code lists those that have some."""
    key = small_key("android")
    with pytest.raises(UserError) as error:
        create_model("qwen9", key.model_config, create_quantization("q4f16_1", CPU))
    assert "qwen9" in one_line(error)
    assert "llama" in one_line(error)


@pytest.mark.parametrize("field", ["tensor_parallel_shards", "pipeline_parallel_stages"])
def test_more_than_one_device(small_key, field):
    """Sharding is refused, rather than ignored."""
    key = small_key("android")
    with pytest.raises(UserError) as error:
        create_model("llama", {**key.model_config, field: 2}, create_quantization("q4f16_1", CPU))
    assert f"model_config.{field}: 2" in one_line(error)


def test_missing_field(small_key):
    """A key without a field of the family names the field."""
    config = dict(small_key("android").model_config)
    del config["head_dim"]
    with pytest.raises(UserError) as error:
        create_model("llama", config, create_quantization("q4f16_1", CPU))
    assert "model_config.head_dim" in one_line(error)


@pytest.mark.parametrize(
    ("device", "library", "text"),
    [
        ("android", "small.so", "ends in .tar"),
        ("cpu:x86_64-linux", "small.dylib", "ends in .so or .tar"),
        ("cpu:x86_64-linux", "small.so", "--linker"),
    ],
)
def test_library_that_cannot_be_made(small_key, tmp_path, device, library, text):
    """The name of the library and the device contradict, or the linker is missing."""
    with pytest.raises(UserError) as error:
        compile_library(small_key(device), tmp_path / library, None, tmp_path / "log")
    assert text in one_line(error)
    assert library in one_line(error)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("device", "form", "linker", "command"),
    [
        ("android", "tar", None, "--library library.tar --verbose"),
        ("cpu:x86_64-linux", "so", Path("ld"), "--library library.so --linker PROGRAM --verbose"),
    ],
)
def test_failure_inside_tvm(small_key, tmp_path, monkeypatch, device, form, linker, command):
    """One line with the library, the pass and the log; the log has the rest; no library."""

    @tvm.transform.module_pass(opt_level=0, name="Breaks")
    def breaks(_mod, _context):
        raise ValueError("first line\nsecond line")

    monkeypatch.setattr(pipeline, "_schedule", lambda _target: [breaks])
    files = [tmp_path / name for name in (f"small.{form}", "small.json", "small.log")]
    with pytest.raises(UserError) as error:
        compile_library(small_key(device), *files, linker=linker)
    line = one_line(error)
    for text in ("small", "stage lower", "Breaks", str(files[2])):
        assert text in line
    log = files[2].read_text()
    for text in ("second line", "Traceback", '"model_lib": "small"', command):
        assert text in log
    assert list(tmp_path.iterdir()) == [files[2]]


def test_the_command_of_a_failure(small_key, tmp_path, monkeypatch):
    """What the log says to run does so without Bazel, from the key that stands in the log."""

    def fail(*_args, **_kwargs):
        raise ValueError("broken")

    log = tmp_path / "small.log"
    with monkeypatch.context() as patch:
        patch.setattr(compile_, "build_library", fail)
        with pytest.raises(UserError, match=r"details in out/\*/small\.log$"):
            name = "out/*/small.log"
            compile_library(small_key("android"), tmp_path / "s.tar", None, log, log_name=name)
    text = log.read_text()
    key = text.partition("compile key:\n")[2].partition("\n\n")[0]
    (tmp_path / "KEY.json").write_text(key)
    (command,) = [line for line in text.splitlines() if " -m tools.compiler " in line]
    interpreter, *arguments = command.split()
    assert interpreter == "venv/bin/python"
    paths = [str(Path(path).absolute()) for path in sys.path if path]
    subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        check=True,
    )
    assert (tmp_path / "library.tar").stat().st_size > 0


def test_linker_that_is_not_there(tmp_path):
    """A wrong path names the option."""
    with pytest.raises(UserError) as error:
        linked_bytes({"a.o": b""}, "so", tmp_path / "nothing")
    assert "--linker" in one_line(error)


def test_linker_that_fails(tmp_path):
    """The linker's own first line is shown."""
    linker = tmp_path / "linker"
    linker.write_text("#!/bin/sh\necho 'no such symbol' >&2\necho more >&2\nexit 1\n")
    linker.chmod(0o755)
    with pytest.raises(UserError) as error:
        linked_bytes({"a.o": b""}, "so", linker)
    assert "no such symbol" in one_line(error)


def test_config_without_device(tmp_path):
    """--config needs --device."""
    path = tmp_path / "mlc-chat-config.json"
    path.write_text(json.dumps({}))
    with pytest.raises(UserError) as error:
        main(["compile", "--config", str(path), "--library", str(tmp_path / "a.tar")])
    assert "--device" in one_line(error)


def test_key_of_another_tool(small_key, tmp_path):
    """A file that is no compile key is refused before TVM is loaded."""
    path = tmp_path / "key.json"
    value = dataclasses.asdict(small_key("android"))
    del value["quantization"]
    path.write_text(json.dumps(value))
    with pytest.raises(UserError) as error:
        main(["compile", "--key", str(path), "--library", str(tmp_path / "a.tar")])
    assert str(path) in one_line(error)
