"""Protects the four apps that upstream ships: their configs build, every model at its full size."""

from __future__ import annotations

import collections
import json
import pathlib

import pytest

from tests.hub.server import serve
from tests.integration import upstream_models
from tests.integration.hub_models import ask_hub
from tests.integration.workspace import Workspace, runfile

EXTENSION = """
mlc = use_extension("@rules_mlc//rules:extensions.bzl", "mlc")
"""

TAG = """
mlc.package(name = "{0}", config = "//{0}:mlc-package-config.json")
use_repo(mlc, "{0}")
"""


@pytest.fixture(scope="module")
def workspace(new_workspace):
    """The models lie on a Hub, as configs without weights."""
    made: Workspace = new_workspace()
    with serve() as hub:
        for name in upstream_models.repositories():
            hub.add(name).commit({"mlc-chat-config.json": upstream_models.chat_config(name)})
        ask_hub(made, hub)
        yield made


@pytest.fixture(scope="module")
def apps(workspace) -> dict[str, list[str]]:
    """The ids of the models of each app; no model is bundled."""
    found = {}
    for file in sorted(runfile("tests/data/package_configs").iterdir()):
        config = json.loads(file.read_text())
        for model in config["model_list"]:
            model.pop("bundle_weight", None)
        workspace.write(f"{file.stem}/BUILD.bazel", "")
        workspace.write(f"{file.stem}/mlc-package-config.json", json.dumps(config))
        found[file.stem] = [model["model_id"] for model in config["model_list"]]
    tags = "".join(map(TAG.format, found))
    workspace.write("MODULE.bazel", workspace.module + EXTENSION + tags)
    return found


def test_apps(workspace, apps):
    models = [model for app in apps.values() for model in app]
    packages = [f"@{name}//:mlc_package" for name in apps]
    checked = workspace.bazel("build", "--output_groups=_validation", *packages)
    ran = collections.Counter(checked.actions)
    assert ran == {"MlcConfig": len(models), "MlcCheck": len(apps)}
    assert workspace.bazel("build", *packages).ran("MlcCompile") == len(models) == 13
    for name, expected in apps.items():
        (package,) = (workspace.root / "bazel-bin/external").glob(f"*{name}/mlc_package")
        check_package(package, expected)


def check_package(package: pathlib.Path, model_ids: list[str]) -> None:
    """The library that each entry names is in the archive."""
    config = json.loads((package / "bundle/mlc-app-config.json").read_text())
    assert [entry["model_id"] for entry in config["model_list"]] == model_ids
    (archive,) = (package / "lib").glob("libmodel_*.a")
    symbols = archive.read_bytes()
    for entry in config["model_list"]:
        assert f"{entry['model_lib']}___tvm_ffi__library_bin".encode() in symbols
