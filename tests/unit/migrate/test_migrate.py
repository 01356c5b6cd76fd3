"""A package config becomes the BUILD file and the MODULE lines of a Bazel workspace.

The files of `golden/` are Starlark files of this repository, so the linter holds their format
against buildifier's.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tools.cli import UserError
from tools.migrate.__main__ import main
from tools.migrate.text import VERSION

GOLDEN = Path(__file__).with_name("golden")


@pytest.fixture
def app(tmp_path, monkeypatch) -> Path:
    """A folder with local models in every relation to it, and a config of them."""
    app = tmp_path / "work" / "app"
    for directory in ("app/my models/phi", "app/other/phi", "Shared (v2)"):
        model = tmp_path / "work" / directory
        model.mkdir(parents=True)
        (model / "mlc-chat-config.json").write_text("{}")
    (app / "other" / "BUILD.bazel").touch()
    for library in ("app/libs/phi-3.tar", "phi.tar"):
        path = tmp_path / "work" / library
        path.parent.mkdir(exist_ok=True)
        path.touch()
    config = {
        "device": ["android:adreno", "iphone"],
        "model_list": [
            entry("my models/phi", "phi", bundle_weight=True, overrides={"opt": "O3"}),
            entry("./other/phi", "phi2", bundle_weight=True),
            entry("../Shared (v2)", "shared", bundle_weight=True, model_lib="a-b"),
            entry("HF://mlc-ai/Qwen3-0.6B-q0f16-MLC", "Qwen3"),
            entry(
                "https://huggingface.co/mlc-ai/1B_MLC",
                "1B (4 bit)",
                bundle_weight=True,
                overrides={"context_window_size": 4096.0, "disaggregation": False},
            ),
            entry("HF://mlc-ai/Qwen3-0.6B-q0f16-MLC", "phi_lib"),
            entry("HF://mlc-ai/phi", "compiled", model_lib="phi_3", overrides={"opt": "O3"}),
            entry("HF://mlc-ai/phi", "compiled_elsewhere", model_lib="phi"),
        ],
        "model_lib_path_for_prepare_libs": {"phi-3": "libs/phi-3.tar", "phi": "../phi.tar"},
    }
    (app / "mlc-package-config.json").write_text(json.dumps(config))
    monkeypatch.chdir(tmp_path / "work")
    return app


def entry(model: str, model_id: str, **fields: object) -> dict[str, object]:
    return {"model": model, "model_id": model_id, "estimated_vram_bytes": 3_000_000_000, **fields}


def test_files(app):
    (app.parent / "MODULE.bazel").touch()
    main(["app/mlc-package-config.json"])
    assert (app / "BUILD.bazel").read_text() == (GOLDEN / "app.BUILD").read_text()
    assert (app.parent / "MODULE.bazel").read_text() == ""


def test_lines_of_a_module_file_that_is_there(app, capsys):
    (app.parent / "MODULE.bazel").touch()
    main(["app/mlc-package-config.json"])
    wrote, needs, _, lines = capsys.readouterr().out.split("\n", 3)
    assert wrote == f"wrote {app}/BUILD.bazel"
    assert needs == f"{app.parent}/MODULE.bazel needs these lines:"
    assert lines == (GOLDEN / "app.MODULE.bazel").read_text()


def test_new_workspace_is_the_folder_of_the_config(app, monkeypatch):
    monkeypatch.setenv("BUILD_WORKING_DIRECTORY", str(app))
    main(["mlc-package-config.json"])
    text = (app / "MODULE.bazel").read_text()
    assert re.findall("path = (.*),", text) == [
        '"other/phi"',
        f'"{app.parent}/Shared (v2)"',
        f'"{app.parent}"',
    ]


def test_build_file_that_is_there_is_kept(app, capsys):
    theirs = app / "BUILD.bazel"
    theirs.write_text("# mine\n")
    with pytest.raises(UserError, match="is there already; see with --print"):
        main(["app/mlc-package-config.json"])
    main(["app/mlc-package-config.json", "--print"])
    assert capsys.readouterr().out.startswith("# BUILD.bazel\nload(")
    assert theirs.read_text() == "# mine\n"
    assert not (app / "MODULE.bazel").exists()


def test_mistakes_and_warnings_name_the_file_as_given(app, capsys):
    path = app / "mlc-package-config.json"
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, "theme": 1}))
    main(["app/mlc-package-config.json", "--print"])
    assert capsys.readouterr().err.startswith("warning: app/mlc-package-config.json:1:")
    path.write_text("{}")
    with pytest.raises(UserError, match=r"^app/mlc-package-config.json:1:1: \$.device: missing"):
        main(["app/mlc-package-config.json"])
    assert not (app / "BUILD.bazel").exists()


def test_version_is_that_of_the_module():
    module = Path("MODULE.bazel").read_text()
    assert re.search(r'^    version = "(.*)"', module, re.MULTILINE)[1] == VERSION
