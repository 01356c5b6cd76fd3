"""Upstream's compiler gets what it would get from its own packaging; its failures are one line."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile

import pytest

from tests import fake_upstream
from tools import cli, config
from tools.config.__main__ import main as make_key
from tools.config.any_model import build_any_key
from tools.upstream import log, probe
from tools.upstream.__main__ import main
from tools.upstream.arguments import chat_config, compile_arguments

CONFIG = {
    "model_type": "brand_new",
    "quantization": "q4f16_1",
    "model_config": {"context_window_size": 100, "hidden_size": 8, "vocab_size": 10},
    "context_window_size": 64,
    "temperature": 0.7,
    "tokenizer_files": ["tokenizer.json"],
}


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """The directory of a fake environment's packages."""
    return fake_upstream.make(tmp_path_factory.mktemp("site"))


@pytest.fixture
def run(environment, tmp_path, monkeypatch):
    """Compiles; returns the metadata file."""
    monkeypatch.chdir(tmp_path)

    def compile_(*more, key="key.json", fields=None, output="lib.tar"):
        chat_config = {**CONFIG, "model_config": {**CONFIG["model_config"], **(fields or {})}}
        (tmp_path / "config.json").write_text(json.dumps(chat_config))
        device = [
            "--config",
            "config.json",
            "--device",
            "android",
            "--any-model",
            "--where",
            "//a:b",
        ]
        make_key([*device, *more, "--output", key])
        done = _probe(environment)
        (tmp_path / "stamp.json").write_text(json.dumps(done["stamp"]))
        main(
            [
                *("compile", "--key", key, "--library", output, "--metadata", "m.json"),
                *("--log", "log", "--interpreter", sys.executable, "--site", str(environment)),
                *("--stamp", "stamp.json", "--symbol-suffix", done["symbol_suffix"]),
            ]
        )
        return json.loads((tmp_path / "m.json").read_text())

    return compile_


def _probe(environment):
    command = [sys.executable, "-s", "-B", probe.__file__, "--path", str(environment)]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def test_what_is_passed(run):
    found = run("--model-lib", "brand-new", "--opt", "O3", "--overrides", '{"max_batch_size": 4}')
    assert found["metadata"]["given"] == {
        "device": "android",
        "opt": "O3",
        "overrides": "max_batch_size=4",
    }
    # The top level wins over model_config; a chat field is not passed, which the fake would refuse.
    assert found["metadata"]["context_window_size"] == 64
    assert found["library"]["symbol"] == "brand_new___tvm_ffi__library_bin"
    assert found["memory"]["total_bytes"] == 7
    assert found["versions"] == {"mlc_llm": "0.1.dev7", "tvm": "0.26.0", "tvm_ffi": "0.1.13.post3"}


def test_same_bytes_in_every_run(run, tmp_path):
    run(output="1.tar")
    run(output="2.tar")
    assert (tmp_path / "1.tar").read_bytes() == (tmp_path / "2.tar").read_bytes()
    with tarfile.open(tmp_path / "1.tar") as tar:
        assert [(member.name, member.mtime) for member in tar] == [("lib0.o", 0)]
    assert (tmp_path / "log").read_text() == (
        "INFO compile.py:1: compiling lib.tar\n/src/block.cc:66: Warning: TVM's own\n"
    )


def test_chat_settings_do_not_change_the_key(run, tmp_path, monkeypatch):
    run(key="1.json")
    monkeypatch.setitem(CONFIG, "temperature", 0.1)
    run(key="2.json")
    assert (tmp_path / "1.json").read_text() == (tmp_path / "2.json").read_text()
    run("--opt", "O3", key="3.json")
    assert (tmp_path / "1.json").read_text() != (tmp_path / "3.json").read_text()


def test_failure_is_one_line(run, tmp_path):
    with pytest.raises(cli.UserError) as caught:
        run("--model-lib", "brand_new", fields={"crash": True})
    assert str(caught.value) == (
        "brand_new: upstream's compiler failed: ValueError: no such model; details in log"
    )
    assert "Traceback" in (tmp_path / "log").read_text()
    assert not (tmp_path / "lib.tar").exists()


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (
            "Traceback\n  x\nTypeError: Cannot convert from type `ffi.SmallStr` to `ffi.Object`\n",
            "its TVM cannot read a model_lib of less than 7 characters; give a longer one "
            "(TypeError: Cannot convert from type `ffi.SmallStr` to `ffi.Object`)",
        ),
        (
            "Traceback\n\ntvm.error.DiagnosticError: error: no such thing\n --> rope.py:607:29\n"
            "/src/block.cc:66: Warning: TVM's own\n",
            "tvm.error.DiagnosticError: error: no such thing",
        ),
        (
            "ModuleNotFoundError: No module named 'torch'",
            "its environment lacks a package (ModuleNotFoundError: No module named 'torch')",
        ),
        (
            "tvm.error.InternalError: Check failed\nnote: more",
            "tvm.error.InternalError: Check failed",
        ),
        ("usage\nbad option", "bad option"),
        ("", "it said nothing"),
    ],
)
def test_reason(output, line):
    assert log.reason(output) == line


def _key(device="android", **more):
    given = {"overrides": {}, "opt": None, "target": {}, "architectures": (), "model_lib": "a_lib"}
    return build_any_key(CONFIG, device, config_name="c", where="//a:b", **{**given, **more})


def test_active_vocab_size_is_where_upstream_reads_it(monkeypatch):
    monkeypatch.setitem(CONFIG, "active_vocab_size", 9)
    config_ = chat_config(_key())
    assert config_["active_vocab_size"] == 9
    assert "active_vocab_size" not in config_["model_config"]
    assert config_["model_config"]["context_window_size"] == 64


def test_targets_without_a_name_of_upstreams():
    arguments = compile_arguments(_key("cpu:x86_64-linux"), "m", "lib.so", "//a:b")
    target = json.loads(arguments[arguments.index("--device") + 1])
    expected = config.device("cpu:x86_64-linux").target
    assert target == {**expected, "host": expected}
    assert "--system-lib-prefix" not in arguments


@pytest.mark.parametrize(
    ("key", "line"),
    [
        (
            {"target": {"max_threads_per_block": 512}},
            "//a:b target: only the embedded compiler takes it; leave it out",
        ),
        (
            {"device": "webgpu"},
            "//a:b device: upstream's compiler makes no such library for webgpu here",
        ),
    ],
)
def test_what_only_the_embedded_compiler_does(key, line):
    with pytest.raises(cli.UserError) as caught:
        compile_arguments(_key(**key), "m", "lib.tar", "//a:b")
    assert str(caught.value) == line


def test_iphone_without_xcode(run):
    with pytest.raises(cli.UserError) as caught:
        run("--device", "iphone", "--model-lib", "brand_new")
    assert "upstream's compiler runs Xcode's xcrun, which this machine has not" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"overrides": {"max_batch_size": "4"}}, "//a:b overrides.max_batch_size: expected"),
        ({"overrides": {"max_batch": 4}}, "//a:b overrides.max_batch: unknown override"),
        ({"opt": "O9"}, "//a:b opt: expected one of O0, O1, O2, O3, got 'O9'"),
    ],
)
def test_mistakes(change, line):
    with pytest.raises(cli.UserError) as caught:
        _key(**change)
    assert str(caught.value).startswith(line)


def test_environment_without_the_compiler(tmp_path):
    command = [sys.executable, "-S", "-s", "-B", probe.__file__, "--path", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "has no package mlc_llm; install mlc_llm with its TVM there" in done.stderr


def test_digest_of_the_environment_changes_with_a_file(tmp_path):
    environment = fake_upstream.make(tmp_path)
    first = _probe(environment)["stamp"]
    (environment / "mlc_llm/libinfo.py").write_text('__version__ = "0.1.dev7"  # patched\n')
    second = _probe(environment)["stamp"]
    assert first["packages"] == second["packages"]
    assert first["sha256"]["tvm"] == second["sha256"]["tvm"]
    assert first["sha256"]["mlc_llm"] != second["sha256"]["mlc_llm"]
