"""Protects what a user of Bazel sees of a mistake: one clear line, before anything slow."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.integration.conftest import PREAMBLE
from tests.integration.packages import copy_stories
from tests.integration.workspace import repositories


@pytest.fixture(scope="module")
def workspace(new_workspace):
    made = new_workspace()
    copy_stories(made)
    return made


def refused(workspace, build_file: str, message: str) -> None:
    """Build :x of `build_file` and expect one error line that holds `message`, and no compile."""
    workspace.write("BUILD.bazel", PREAMBLE + build_file)
    build = workspace.bazel("build", "//:x", check=False)
    assert build.returncode == 1, build.stderr
    assert build.ran("MlcCompile") == 0
    matching = [line for line in build.errors() if message in line]
    assert len(matching) == 1, build.stderr
    assert 'File "/' not in "".join(build.errors())


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        (
            'overrides = {"context_windw_size": 9}',
            "//:x: overrides.context_windw_size: unknown override; did you mean context_window",
        ),
        (
            'overrides = {"prefill_chunk_size": -5}',
            "//:x: overrides.prefill_chunk_size: expected an integer of at least 1, got -5",
        ),
        ('overrides = {"max_batch_size": "4"}', "overrides.max_batch_size: expected an integer"),
        ('model_lib = "a.b"', "//:x: attribute model_lib: expected letters"),
        ('device = "androd"', 'no device "androd"; did you mean android?'),
    ],
)
def test_library_attributes(workspace, attributes, message):
    refused(workspace, f'mlc_model_lib(name = "x", config = "tiny.json", {attributes})\n', message)


def test_model_id(workspace):
    build_file = """
mlc_model_lib(name = "lib", config = "tiny.json")
mlc_model(name = "x", model_id = "../../x", lib = ":lib", url = "HF://a/b")
"""
    refused(workspace, build_file, "//:x: attribute model_id: expected letters")


def test_one_library_name_with_two_contents(workspace):
    """The configs differ, which only an action can see; it reads no library."""
    workspace.write("other.json", (workspace.root / "tiny.json").read_text())
    workspace.edit_json("other.json", context_window_size=128)
    build_file = """
mlc_model_lib(name = "tiny_lib", config = "tiny.json", model_lib = "same")
mlc_model_lib(name = "other_lib", config = "other.json", model_lib = "same")
mlc_model(name = "tiny", lib = ":tiny_lib", url = "HF://a/tiny")
mlc_model(name = "other", lib = ":other_lib", url = "HF://a/other")
mlc_package(name = "x", device = "android", models = [":tiny", ":other"])
"""
    workspace.write("BUILD.bazel", PREAMBLE + build_file)
    build = workspace.bazel("build", "--output_groups=_validation", "//:x", check=False)
    assert build.returncode == 1
    assert build.ran("MlcCompile") == 0
    assert build.errors() == [
        'error: //:other: its library and that of //:tiny are both named "same" and differ in '
        "context_window_size; give one of them another model_lib"
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model_type": "lama"}, "$.model_type"),
        ({"quantization": "q4f16_9"}, "$.quantization"),
        ({"context_window_size": "4096"}, "$.context_window_size"),
        ({"model_config": {"hidden_size": -5}}, "$.model_config.hidden_size"),
    ],
)
def test_config_fields(workspace, fields, message):
    workspace.write("bad.json", (workspace.root / "tiny.json").read_text())
    workspace.edit_json("bad.json", **fields)
    refused(workspace, 'mlc_model_lib(name = "x", config = "bad.json", device = "cpu")\n', message)


def edited_cache(workspace, edit) -> str:
    """A copy of the model whose tensor-cache.json is edited; its directory."""
    target = workspace.root / "broken"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(workspace.root / "model", target)
    cache = json.loads((target / "tensor-cache.json").read_text())
    edit(target, cache)
    (target / "tensor-cache.json").write_text(json.dumps(cache))
    return 'mlc_weight_bundle(name = "x", directory = "broken")\n'


LATE_MISTAKE = """
def _late_impl(ctx):
    for _ in range(100000000):
        pass
    fail("//:x: a mistake")

late = rule(implementation = _late_impl)
"""


def test_a_mistake_is_told_before_the_actions_of_other_targets(workspace):
    """By mlc.bazelrc: else libraries would be compiled while Bazel analyses the rest."""
    workspace.write("late.bzl", LATE_MISTAKE)
    build_file = 'load("late.bzl", "late")\nlate(name = "x")\n'
    build_file += 'mlc_model_lib(name = "lib", config = "tiny.json", device = "android")\n'
    workspace.write("BUILD.bazel", PREAMBLE + build_file)
    workspace.bazel("build", "--nobuild", "//:lib")
    build = workspace.bazel("build", "//:lib", "//:x", check=False)
    assert [line for line in build.errors() if "//:x: a mistake" in line], build.stderr
    assert build.actions == []


def test_missing_shard(workspace):
    def edit(target, cache):
        (target / cache["records"][0]["dataPath"]).unlink()

    refused(workspace, edited_cache(workspace, edit), "params_shard_0.bin")


def test_wrong_md5(workspace):
    def edit(_target, cache):
        cache["records"][0]["md5sum"] = "0" * 32

    refused(workspace, edited_cache(workspace, edit), "md5")


@pytest.mark.parametrize("path", ["../params_shard_0.bin", "/etc/passwd", "a\\\\b.bin"])
def test_data_path_that_leaves_its_directory(workspace, path):
    def edit(_target, cache):
        cache["records"][0]["dataPath"] = path

    refused(workspace, edited_cache(workspace, edit), "dataPath")


def test_missing_tokenizer(workspace):
    def edit(target, _cache):
        (target / "tokenizer.json").unlink()

    refused(workspace, edited_cache(workspace, edit), "tokenizer.json")


def test_library_from_elsewhere(workspace):
    (workspace.root / "old.tar").write_bytes(b"not a library")
    refused(
        workspace,
        """
mlc_prebuilt_model_lib(
    name = "x", config = "tiny.json", library = "old.tar", model_lib = "tiny", device = "android"
)
""",
        "//:x: old.tar: is neither an ELF nor a Mach-O file; expected a compiled library",
    )


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("", "{python} does not run as a Python; expected CPython 3.10 to 3.13 with pip"),
        ("3 6", "{python} is Python 3.6; put CPython 3.10 to 3.13 first on PATH"),
    ],
)
def test_python_that_cannot_be_used(workspace, monkeypatch, tmp_path, version, message):
    """It is asked for its version before it reads a file that it could not."""
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {version}\n")
    python.chmod(0o755)
    monkeypatch.setitem(workspace.variables, "MLC_PYTHON", str(python))
    workspace.write(
        "BUILD.bazel",
        PREAMBLE + 'mlc_model_lib(name = "x", config = "tiny.json", device = "android")\n',
    )
    # The environment that the outer Bazel has installed would be taken otherwise.
    installed = [f"--override_repository={name}=" for name in repositories("mlc_python")]
    build = workspace.bazel("build", *installed, "//:x", check=False)
    (line,) = build.errors()
    assert message.format(python=python) in line
