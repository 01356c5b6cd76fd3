"""Protects ./mlc-package: a folder that knows nothing of Bazel gets dist/, and nothing else."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tests.hub.server import serve
from tests.integration.hub_models import ask_hub
from tests.integration.upstream_sources import make_machine, make_sources
from tests.integration.workspace import SHORT_LIVED, Workspace, installed_repository, runfile


@pytest.fixture(scope="module")
def workspace(new_workspace):
    """Its folder beside the workspace is the app's; the workspace only lends its rules_mlc."""
    made: Workspace = new_workspace()
    app = made.root.parent / "My app (iOS)"
    (app / "models").mkdir(parents=True)
    model = runfile("examples/quickstart/model")
    shutil.copytree(model, app / "models/stories", copy_function=shutil.copyfile)
    entry = {"estimated_vram_bytes": 30_000_000}
    config = {
        "device": "iphone",
        "model_list": [
            {**entry, "model": "HF://org/one", "model_id": "one"},
            {**entry, "model": "./models/stories", "model_id": "two", "bundle_weight": True},
        ],
    }
    (app / "mlc-package-config.json").write_text(json.dumps(config))
    with serve() as hub:
        hub.add("org/one").commit({file.name: file.read_bytes() for file in model.iterdir()})
        ask_hub(made, hub)
        cache = made.root.parent / "cache"
        made.variables.update(MLC_LLM_HOME=str(cache))
        flags = "".join(f"common {flag}\n" for flag in made.installed())
        (cache / "rules_mlc/workspace").mkdir(parents=True)
        (cache / "rules_mlc/workspace/user.bazelrc").write_text(flags + SHORT_LIVED)
        yield made
        # The server that is to be stopped is the command's.
        made.root, made.output_root = cache / "rules_mlc/workspace", cache / "rules_mlc/bazel"


def run(workspace: Workspace, *arguments: str, **variables: str):
    return subprocess.run(
        [workspace.rules / "mlc-package", *arguments],
        cwd=workspace.root.parent / "My app (iOS)",
        env={**workspace.environment(), **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def files(workspace: Workspace) -> set[str]:
    """What lies in the app's folder, without the models."""
    app = workspace.root.parent / "My app (iOS)"
    found = (path.relative_to(app) for path in app.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if path.parts[0] != "models"}


def test_dist_and_nothing_else(workspace):
    done = run(workspace)
    assert done.returncode == 0, done.stderr
    made = files(workspace)
    assert {path.partition("/")[0] for path in made} == {"dist", "mlc-package-config.json"}
    assert {path for path in made if path.startswith(("dist/lib", "dist/bundle"))} == {
        "dist/lib/libmodel_iphone.a",
        "dist/bundle/mlc-app-config.json",
        *(
            f"dist/bundle/two/{file.name}"
            for file in runfile("examples/quickstart/model").iterdir()
        ),
    }
    app_config = workspace.root.parent / "My app (iOS)/dist/bundle/mlc-app-config.json"
    one, two = json.loads(app_config.read_text())["model_list"]
    assert one["model_url"] == "https://huggingface.co/org/one"
    assert two["model_path"] == "two"


def test_again_from_what_is_there(workspace):
    """Nothing is compiled, downloaded or installed."""
    before = files(workspace)
    policies = {"MLC_JIT_POLICY": "READONLY", "MLC_DOWNLOAD_CACHE_POLICY": "READONLY"}
    done = run(workspace, **policies)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(" up to date\n")
    assert files(workspace) == before


def test_runtime_of_upstreams_sources(workspace):
    """Scripts that stand in for upstream's are run; what they make is in dist with the models."""
    root = workspace.root.parent
    linker = installed_repository("mlc_linker", "ld.lld") / "ld.lld"
    machine = make_machine(root / "machine", linker)
    make_sources(root / "mlc-llm", tvm="0.26.dev0")
    arguments = ("--mlc-llm-source-dir", "../mlc-llm", "-o", "out")
    arguments += ("--device", "iphone", "--device", "android")
    done = run(workspace, *arguments, **machine)
    assert done.returncode == 1
    assert "_runtime is of TVM 0.26.dev0, and the libraries are compiled by embedded" in done.stderr
    make_sources(root / "mlc-llm", tvm="0.27.0")
    done = run(workspace, *arguments, **machine)
    assert done.returncode == 0, done.stderr
    out = root / "My app (iOS)/out"
    assert {path.name for path in (out / "iphone/lib").iterdir()} == {
        *("libmlc_llm.a", "libmodel_iphone.a", "libsentencepiece.a", "libtokenizers_c.a"),
        *("libtokenizers_cpp.a", "libtvm_ffi_static.a", "libtvm_runtime.a"),
    }
    manifest = json.loads((out / "android/package-manifest.json").read_text())
    assert manifest["versions"]["runtime_tvm"] == "0.27.0"
    mlc4j = out / "android/lib/mlc4j"
    assert (mlc4j / "output/arm64-v8a/libtvm4j_runtime_packed.so").is_file()
    assert (mlc4j / "src/main/assets/mlc-app-config.json").is_file()
    shutil.rmtree(out)


def test_mistake(workspace):
    path = workspace.root.parent / "My app (iOS)/mlc-package-config.json"
    good = path.read_text()
    path.write_text(good.replace('"one"', '"t/wo"'))
    done = run(workspace)
    path.write_text(good)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: mlc-package-config.json:1:")
    assert ": $.model_list[0].model_id: expected at most 200 letters" in line


def test_library_that_is_not_there_yet(workspace):
    path = workspace.root.parent / "My app (iOS)/mlc-package-config.json"
    path.write_text(path.read_text().replace('"two"', '"two", "overrides": {"opt": "O0"}'))
    done = run(workspace, MLC_JIT_POLICY="READONLY")
    assert done.returncode == 1
    assert done.stderr.startswith("error: MLC_JIT_POLICY=READONLY: not every library was")
