"""Protects mlc-package-config.json as the source of truth: what it says is built, and no more."""

from __future__ import annotations

import collections
import hashlib
import json
import shutil

import pytest

from tests.hub.server import serve
from tests.integration.hub_models import ask_hub
from tests.integration.packages import copy_stories
from tests.integration.workspace import Workspace, runfile

EXTENSION = """
mlc = use_extension("@rules_mlc//rules:extensions.bzl", "mlc")
"""

TAG = """
mlc.package(
    name = "{0}",
    config = "//{1}:mlc-package-config.json",
    lock = "//{1}:mlc.lock.json",
)
use_repo(mlc, "{0}")
"""

FILE = "app/mlc-package-config.json"
MODEL = "app/My models (new)/stories"

CONFIG = {
    "device": "android",
    "model_list": [
        {
            "model": "HF://org/one",
            "model_id": "One (4 bit)",
            "estimated_vram_bytes": 3_000_000_000,
        },
        {
            "model": "HF://org/one",
            "model_id": "two",
            "estimated_vram_bytes": 30_000_000,
            "overrides": {"prefill_chunk_size": 8, "context_window_size": 192},
        },
        {
            "model": "./My models (new)/stories",
            "model_id": "stories",
            "estimated_vram_bytes": 30_000_000,
            "bundle_weight": True,
            "group": "the app's own",
        },
    ],
}

ENTRY = {"MlcAppFiles": 1, "MlcCheck": 1, "MlcPackage": 1}
ONE_COMPILE = {"MlcConfig": 1, "MlcCompile": 1, "MlcArchive": 1, **ENTRY}
PREBUILT = {"MlcPrebuilt": 1, "MlcArchive": 1, **ENTRY}
BUNDLED = {"MlcFetch": 3, "MlcWeights": 1, **ENTRY}


@pytest.fixture(scope="module")
def hub():
    model = runfile("examples/quickstart/model")
    with serve() as served:
        for name in ("one", "two"):
            served.add(f"org/{name}").commit({f.name: f.read_bytes() for f in model.iterdir()})
        yield served


@pytest.fixture(scope="module")
def workspace(new_workspace, hub):
    made: Workspace = new_workspace()
    copy_stories(made, MODEL)
    made.write("MODULE.bazel", made.module + EXTENSION + TAG.format("chat", "app"))
    made.write("app/BUILD.bazel", "")
    made.write(FILE, json.dumps(CONFIG, indent=2))
    ask_hub(made, hub)
    made.bazel("run", "@chat//:lock")
    assert made.bazel("run", "@chat//:mlc_package").ran("MlcCompile") == 3
    return made


def app_config(workspace: Workspace) -> list[dict[str, object]]:
    return json.loads((workspace.root / "app/dist/bundle/mlc-app-config.json").read_text())[
        "model_list"
    ]


def test_dist_is_beside_the_file(workspace):
    dist = workspace.root / "app/dist"
    assert (dist / "lib/libmodel_android.a").exists()
    assert sorted(path.name for path in (dist / "bundle").iterdir()) == [
        "mlc-app-config.json",
        "stories",
    ]
    entries = app_config(workspace)
    assert [entry["model_id"] for entry in entries] == ["One (4 bit)", "two", "stories"]
    assert [entry["model_url"] for entry in entries] == [
        *["https://huggingface.co/org/one"] * 2,
        "",
    ]


def test_lock_names_the_models_of_the_hub(workspace):
    lock = json.loads((workspace.root / "app/mlc.lock.json").read_text())
    assert [model["repo"] for model in lock["models"].values()] == ["org/one"]


def edit(workspace: Workspace, change) -> None:
    value = json.loads((workspace.root / FILE).read_text())
    change(value)
    workspace.write(FILE, json.dumps(value, indent=2))


def field(index: int, **fields: object):
    """An edit of an entry."""
    return lambda workspace: edit(workspace, lambda c: c["model_list"][index].update(fields))


def weight_shard(workspace: Workspace) -> None:
    """One shard, and its md5 in the tensor cache."""
    cache = json.loads((workspace.root / MODEL / "tensor-cache.json").read_text())
    record = cache["records"][0]
    shard = workspace.root / MODEL / record["dataPath"]
    data = bytearray(shard.read_bytes())
    data[0] ^= 1
    shard.write_bytes(data)
    record["md5sum"] = hashlib.md5(data).hexdigest()
    workspace.write(f"{MODEL}/tensor-cache.json", json.dumps(cache))


def new_file(workspace: Workspace) -> None:
    workspace.write(f"{MODEL}/vocab.txt", "more")


def library_by_hand(workspace: Workspace) -> None:
    """The library that the build itself has made, as somebody might have compiled it."""
    libraries = (workspace.root / "bazel-out").glob("*/bin/external/*chat/*_lib.tar")
    newest = max(libraries, key=lambda path: path.stat().st_mtime)
    (workspace.root / "app/my libs").mkdir()
    shutil.copyfile(newest, workspace.root / "app/my libs/two.tar")
    paths = {"my_lib": "my libs/two.tar"}
    edit(workspace, lambda c: c.update(model_lib_path_for_prepare_libs=paths))


def entry_added(workspace: Workspace) -> None:
    """Another name for a model whose library is there."""
    edit(workspace, lambda c: c["model_list"].insert(0, {**c["model_list"][0], "model_id": "b"}))


def entry_removed(workspace: Workspace) -> None:
    edit(workspace, lambda c: c["model_list"].pop(0))


EDITS = {
    "nothing": (field(0), {}),
    "own key": (field(0, group="fast", _note="x"), {}),
    "model_id": (field(0, model_id="one"), ENTRY),
    "estimated_vram_bytes": (field(1, estimated_vram_bytes=40_000_000), ENTRY),
    "an entry of a library that is there": (entry_added, ENTRY),
    "an entry gone": (entry_removed, ENTRY),
    "overrides": (field(1, overrides={"context_window_size": 160}), ONE_COMPILE),
    "opt": (field(1, overrides={"context_window_size": 160, "opt": "O0"}), ONE_COMPILE),
    "model_lib": (field(1, model_lib="my-lib"), ONE_COMPILE),
    "model_lib_path_for_prepare_libs": (library_by_hand, PREBUILT),
    "bundle_weight": (field(0, bundle_weight=True), BUNDLED),
    "model": (field(0, model="HF://org/two", bundle_weight=False), ONE_COMPILE),
    "weight shard": (weight_shard, {"MlcDigest": 2, "MlcWeights": 1, "MlcPackage": 1}),
    "new file of a model": (new_file, {"MlcDigest": 1, "MlcWeights": 1, "MlcPackage": 1}),
}


@pytest.mark.parametrize(("change", "expected"), EDITS.values(), ids=EDITS)
def test_edit(workspace, change, expected):
    change(workspace)
    build = workspace.bazel("build", "@chat//:mlc_package")
    assert collections.Counter(build.actions) == expected


def test_device_added(workspace):
    """The packages are there side by side, and the libraries of the first are not made again."""
    edit(workspace, lambda c: c.update(device=["android", "iphone"]))
    build = workspace.bazel("build", "@chat//:mlc_package_android")
    assert build.ran("MlcCompile") == 0
    workspace.bazel("build", "--nobuild", "@chat//:mlc_package")
    edit(workspace, lambda c: c.update(device="android"))


def test_migrated_build_file_builds(workspace):
    """Beside another file, so that the package is a new one; its libraries are known by then."""
    workspace.write("new/mlc-package-config.json", json.dumps(CONFIG))
    shutil.copytree(workspace.root / MODEL, workspace.root / "new/My models (new)/stories")
    migrate = ("run", "@rules_mlc//tools:migrate", "--", "new/mlc-package-config.json")
    lines = workspace.bazel(*migrate).stdout.partition(" needs these lines:\n")[2]
    module = (workspace.root / "MODULE.bazel").read_text()
    added = [line for line in lines.splitlines() if not line.startswith(("bazel_dep(", "mlc = "))]
    workspace.write("MODULE.bazel", "\n".join([module, *added]))
    workspace.bazel("build", "//new:mlc_package")
    built = workspace.root / "bazel-bin/new/mlc_package"
    assert (built / "lib/libmodel_android.a").is_file()
    config = json.loads((built / "bundle/mlc-app-config.json").read_text())
    ids = [model["model_id"] for model in CONFIG["model_list"]]
    assert [entry["model_id"] for entry in config["model_list"]] == ids


def test_mistakes_all_at_once_and_before_anything_runs(workspace):
    good = (workspace.root / FILE).read_text()
    edit(
        workspace,
        lambda c: c.update(
            device="iphnoe",
            model_list=[
                {**c["model_list"][0], "model_id": "../../x", "estimated_vram_bytes": "3"},
                {**c["model_list"][0], "overrides": {"prefill_chunk_size": -5, "context": 1}},
                {"model": "none", "model_idd": "x", "bundle_weight": True},
            ],
        ),
    )
    build = workspace.bazel("build", "@chat//:mlc_package", check=False)
    workspace.write(FILE, good)
    assert build.actions == []
    lines = [line for line in dict.fromkeys(build.errors()) if line.startswith("error: ")]
    assert [line.split(": ")[2] for line in lines] == [
        "$.device",
        "$.model_list[0].model_id",
        "$.model_list[0].estimated_vram_bytes",
        "$.model_list[1].overrides.prefill_chunk_size",
        "$.model_list[1].overrides.context",
        "$.model_list[2].model_id",
        "$.model_list[2].estimated_vram_bytes",
        "$.model_list[2].model",
        "$.model_list[2].model_idd",
    ]
    assert all(line.startswith(f"error: {FILE}:") for line in lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"device": "android",\n "device": "iphone"}', f'{FILE}:2:2: the key "device" appears'),
        ("{ // a comment\n}", f"{FILE}:1:3: JSON has no comments"),
    ],
)
def test_file_that_is_no_json(workspace, text, message):
    good = (workspace.root / FILE).read_text()
    workspace.write(FILE, text)
    build = workspace.bazel("build", "@chat//:mlc_package", check=False)
    workspace.write(FILE, good)
    (line,) = {line for line in build.errors() if line.startswith("error: ")}
    assert line.startswith(f"error: {message}")
