"""Protects the promise that an edit redoes only what it changes: the table below says what."""

from __future__ import annotations

import collections
import hashlib
import itertools
import json

import pytest

from tests.integration.conftest import PREAMBLE
from tests.integration.packages import copy_stories
from tests.integration.profile import Profile
from tests.integration.workspace import Workspace

BUILD = (
    PREAMBLE
    + """
OVERRIDES = {"two": {"context_window_size": 192}, "three": {"max_batch_size": 2}}

mlc_weight_bundle(name = "stories_weights", directory = "model")
mlc_model_lib(name = "stories_lib", config = "model/mlc-chat-config.json")
mlc_model(name = "stories", lib = ":stories_lib", weights = ":stories_weights")

[mlc_model_lib(
    name = name + "_lib",
    config = name + ".json",
    overrides = overrides,
) for name, overrides in OVERRIDES.items()]

[mlc_model(
    name = name,
    lib = name + "_lib",
    url = "HF://example/" + name,
) for name in OVERRIDES]

mlc_package(
    name = "pkg",
    device = "android",
    models = [":stories"] + [":" + name for name in OVERRIDES],
)
"""
)

# Megabytes: enough for one compile.
ROOM_FOR_ONE = 900

ONE_COMPILE = {
    "MlcConfig": 1,
    "MlcCompile": 1,
    "MlcCheck": 1,
    "MlcArchive": 1,
    "MlcAppFiles": 1,
    "MlcPackage": 1,
}


def edit_build_file(workspace: Workspace, old: str, new: str) -> None:
    text = (workspace.root / "BUILD.bazel").read_text()
    assert old in text
    workspace.write("BUILD.bazel", text.replace(old, new))


def nothing(workspace: Workspace) -> None:
    workspace.bazel("build", "//...")


def chat_setting(workspace: Workspace) -> None:
    workspace.edit_json("two.json", temperature=0.1, top_p=0.5, conv_template="chatml")


def override(workspace: Workspace) -> None:
    edit_build_file(workspace, "192", "160")


def quantization(workspace: Workspace) -> None:
    workspace.edit_json("three.json", quantization="q0f16")


def weight_shard(workspace: Workspace) -> None:
    """One shard, and its md5 in the tensor cache."""
    cache = json.loads((workspace.root / "model/tensor-cache.json").read_text())
    record = cache["records"][0]
    shard = workspace.root / "model" / record["dataPath"]
    data = bytearray(shard.read_bytes())
    data[0] ^= 1
    shard.write_bytes(data)
    record["md5sum"] = hashlib.md5(data).hexdigest()
    workspace.write("model/tensor-cache.json", json.dumps(cache))


def tokenizer(workspace: Workspace) -> None:
    path = workspace.root / "model/tokenizer.json"
    path.write_text(path.read_text() + "\n")


def model_added(workspace: Workspace) -> None:
    workspace.write("four.json", (workspace.root / "tiny.json").read_text())
    edit_build_file(workspace, '"three": {', '"four": {}, "three": {')


def device_added(workspace: Workspace) -> None:
    iphone = 'mlc_package(name = "iphone", device = "iphone", models = [":two"])\n'
    edit_build_file(workspace, "OVERRIDES =", iphone + "OVERRIDES =")


def compiler(workspace: Workspace) -> None:
    """Its bytes, not its behaviour: every library is compiled, none is different."""
    path = workspace.rules / "tools/compiler/build.py"
    path.write_text(path.read_text() + "\n# A comment.\n")


EDITS = [
    (nothing, {}),
    (chat_setting, {"MlcConfig": 1}),
    (override, ONE_COMPILE),
    (quantization, ONE_COMPILE),
    (weight_shard, {"MlcDigest": 2, "MlcWeights": 1, "MlcPackage": 1}),
    (tokenizer, {"MlcDigest": 1, "MlcWeights": 1, "MlcPackage": 1}),
    (model_added, ONE_COMPILE),
    (device_added, ONE_COMPILE),
    (compiler, {"MlcCompile": 5}),
]


@pytest.fixture(scope="module")
def workspace(new_workspace):
    made = new_workspace()
    copy_stories(made)
    for name in ("two", "three"):
        made.write(f"{name}.json", (made.root / "tiny.json").read_text())
    made.write("BUILD.bazel", BUILD)
    flags = [f"--local_resources=memory={ROOM_FOR_ONE}", f"--profile={made.root}/first.gz"]
    assert made.bazel("build", *flags, "//...").ran("MlcCompile") == 3
    return made


@pytest.fixture(scope="module")
def first_build(workspace):
    return Profile(workspace.root / "first.gz")


def test_compiles_wait_for_memory(first_build):
    """A machine that has room for one compile is asked for one, by workers too."""
    spans = first_build.spans("MlcCompile")
    assert len(spans) == 3
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))


def test_critical_path_is_one_compile(first_build):
    compiles = [name for name in first_build.critical_path() if "Compiling" in name]
    assert len(compiles) == 1


@pytest.mark.parametrize(("edit", "expected"), EDITS, ids=[edit.__name__ for edit, _ in EDITS])
def test_edit(workspace, edit, expected):
    edit(workspace)
    assert collections.Counter(workspace.bazel("build", "//...").actions) == expected


@pytest.mark.parametrize(
    "flag", ["--compilation_mode=dbg", "--platforms=@rules_mlc//rules/platforms:iphone"]
)
def test_configuration_of_the_caller(workspace, flag):
    """The package may have other paths then, and its libraries have not."""
    assert workspace.bazel("build", flag, "//:pkg").ran("MlcCompile") == 0


@pytest.mark.parametrize("flags", [[], ["--watchfs"]], ids=["looked_at", "watched"])
def test_trusted_outputs(workspace, flags):
    """Edits of sources are seen; what was removed by hand comes back once outputs are looked at."""
    trusting = ("build", "--config=trust-outputs", *flags, "//:pkg")
    workspace.bazel(*trusting)
    workspace.edit_json("two.json", temperature=0.2 + len(flags))
    assert collections.Counter(workspace.bazel(*trusting).actions) == {"MlcConfig": 1}
    link = workspace.root / "bazel-bin/pkg/bundle/stories/tokenizer.json"
    link.unlink()
    workspace.bazel(*trusting)
    assert not link.is_symlink()
    workspace.bazel("build", "//:pkg")
    assert link.exists()
