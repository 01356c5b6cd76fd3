"""Protects what a user of models of the Hub relies on: a lock, and bytes that come once."""

from __future__ import annotations

import json

import pytest

from tests.hub.server import serve
from tests.integration.hub_models import blobs_asked, digests, model_files, use_models
from tests.integration.workspace import runfile

LOCKED = 'lock = "//:mlc.lock.json",'
PATHS = [
    "mlc-chat-config.json",
    "params_shard_0.bin",
    "params_shard_1.bin",
    "tensor-cache.json",
    "tokenizer.json",
]


@pytest.fixture(scope="module")
def hub():
    with serve() as served:
        for name, seeds in {"one": (1, 2), "two": (2, 3)}.items():
            served.add(f"org/{name}").commit(model_files(*seeds))
        yield served


@pytest.fixture(scope="module")
def workspace(new_workspace, hub):
    made = new_workspace()
    use_models(made, hub, one=LOCKED, two=LOCKED)
    return made


@pytest.fixture(scope="module")
def lock(workspace, hub):
    """The lock of both models; the rest of this file builds with it, in order."""
    workspace.bazel("run", "@mlc_hub//:lock")
    return json.loads((workspace.root / "mlc.lock.json").read_text())


@pytest.fixture(autouse=True)
def only_own_requests(hub, lock):
    hub.requests.clear()


def weights(workspace, *names: str, **options):
    """Build bundles of models, and the bundles that the models' repositories have."""
    targets = [target for name in names for target in (f"//:{name}_weights", f"@{name}//:weights")]
    return workspace.bazel("build", *targets, **options)


def test_lock(lock, hub):
    assert list(lock["models"]) == ["one", "two"]
    one = lock["models"]["one"]
    assert one["commit"] == hub.repositories["org/one"].branches["main"]
    assert [file["path"] for file in one["files"]] == PATHS


def without_a_record(workspace, **options):
    """Evaluate the extension where no result of one may be new to MODULE.bazel.lock."""
    return workspace.bazel("fetch", "--lockfile_mode=error", "--repo=@one", **options)


def test_locked_models_need_no_record_of_bazel(workspace):
    """The extension is reproducible: nothing of it is in MODULE.bazel.lock."""
    assert without_a_record(workspace).returncode == 0


def test_library_costs_the_config_alone(workspace, hub):
    workspace.bazel("build", "--output_groups=compile_key", "//:one_lib")
    assert [request.path.rpartition("/")[2] for request in hub.requests] == [
        "mlc-chat-config.json",
        "mlc-chat-config.json",  # where the first request is redirected to
    ]


def test_no_listing_and_each_shard_once(workspace, hub):
    """Both models have the second shard."""
    build = weights(workspace, "one", "two")
    assert build.ran("MlcFetch") == 3
    assert sorted(blobs_asked(hub)) == sorted(digests(1, 2, 3))
    assert not hub.asked("endpoint", "/api/models/*")


def files_in_bundle(workspace) -> list[dict]:
    manifest = workspace.root / "bazel-bin/one_weights.weights.json"
    return json.loads(manifest.read_text())["files"]


def test_manifest_is_that_of_the_files(workspace, hub):
    sha256 = {file["path"]: file["sha256"] for file in files_in_bundle(workspace)}
    assert sorted(sha256) == PATHS, "what is excluded if nothing is said is not there"
    assert [sha256["params_shard_0.bin"], sha256["params_shard_1.bin"]] == digests(1, 2)


def test_new_release_of_the_rules_fetches_nothing(workspace, hub):
    tool = workspace.rules / "tools/hub/download.py"
    tool.write_text(tool.read_text() + "\n# A comment.\n")
    assert weights(workspace, "one", "two").ran("MlcFetch") == 0
    assert not hub.requests


def test_new_revision_fetches_what_changed(workspace, hub, lock):
    hub.repositories["org/one"].commit(model_files(1, 4))
    workspace.bazel("run", "@one//:lock")
    hub.requests.clear()
    assert weights(workspace, "one", "two").ran("MlcFetch") == 1
    assert blobs_asked(hub) == digests(4)
    renewed = json.loads((workspace.root / "mlc.lock.json").read_text())["models"]
    assert renewed["two"] == lock["models"]["two"]
    assert renewed["one"]["commit"] != lock["models"]["one"]["commit"]


def test_lock_that_the_tag_has_left(workspace, hub):
    use_models(workspace, hub, one=LOCKED + 'revision = "v2",', two=LOCKED)
    hub.repositories["org/one"].branches["v2"] = hub.repositories["org/one"].branches["main"]
    build = weights(workspace, "one", check=False)
    assert [line for line in build.stderr.splitlines() if "Error in fail: " in line] == [
        'Error in fail: mlc.hub_model(name = "one"): attribute revision is "v2", and the lock '
        'was made for "main"; run: bazel run @one//:lock'
    ]
    workspace.bazel("run", "@one//:lock")
    assert weights(workspace, "one").ran("MlcFetch") == 0


def test_without_a_lock(workspace, hub):
    use_models(workspace, hub, one='include = ["*.json", "*.bin"], exclude = [],', two=LOCKED)
    build = weights(workspace, "one")
    assert (
        "one has no lock, so this build is not pinned; give mlc.hub_model the attribute "
        'lock = "//:mlc.lock.json" and run: bazel run @one//:lock'
    ) in build.stderr
    assert "does not exist in the lockfile" in without_a_record(workspace, check=False).stderr
    assert hub.asked("endpoint", "/api/models/org/one/*")
    assert not hub.asked("endpoint", "/api/models/org/two/*")
    assert [file["path"] for file in files_in_bundle(workspace)] == PATHS


def test_weights_by_the_downloader_of_bazel(workspace, hub):
    use_models(workspace, hub, one="", two=LOCKED + 'fetch = "repository",')
    build = weights(workspace, "two")
    assert build.ran("MlcFetch") == 0
    assert sorted(blobs_asked(hub)) == sorted(digests(2, 3))
    assert all("Bazel" in one.headers["user-agent"] for one in hub.asked("storage"))


def test_example(workspace, hub):
    """With the quickstart's model under the names of the example's."""
    model = {
        path.name: path.read_bytes() for path in runfile("examples/quickstart/model").iterdir()
    }
    for name in ("phi-2-q4f16_1-MLC", "Qwen3-0.6B-q4f16_1-MLC"):
        hub.add(f"mlc-ai/{name}").commit(model)
    for name in ("MODULE.bazel", "BUILD.bazel"):
        text = runfile(f"examples/hub/{name}").read_text()
        workspace.write(name, text.replace('"../.."', f'"{workspace.rules}"'))
    workspace.bazel("run", "@mlc_hub//:lock")
    hub.requests.clear()
    workspace.bazel("build", "//:without_weights")
    assert {one.path.rpartition("/")[2] for one in hub.requests} == {"mlc-chat-config.json"}
    workspace.bazel("build", "//:mlc_package")
    bundle = workspace.root / "bazel-bin/mlc_package/bundle"
    assert sorted(path.name for path in bundle.iterdir()) == ["mlc-app-config.json", "phi2"]
    for name, data in model.items():
        assert (bundle / "phi2" / name).is_symlink()
        assert (bundle / "phi2" / name).read_bytes() == data
