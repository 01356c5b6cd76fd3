"""The files for an app's sources name its models and libraries, whatever their ids."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.objects import LOCAL, STRONG, UNDEFINED, WEAK, macho_object
from tools.app.__main__ import main
from tools.app.constants import identifiers
from tools.archive import ar_macho
from tools.archive.ar_format import Member
from tools.config import CompileKey

IDS = ["Phi-3.5-mini-q4f16_1-MLC", "it's $new"]


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Runs the command with two models; returns the text of an output."""
    monkeypatch.chdir(tmp_path)
    models = []
    for number, model_id in enumerate(IDS):
        entry = {"bundle_weight": False, "estimated_vram_bytes": None, "label": "//a:m"}
        entry |= {"model_id": model_id, "url": "https://example.com/m"}
        (tmp_path / f"{number}.entry").write_text(json.dumps(entry))
        key = CompileKey("iphone", {}, f"phi_{number}", "phi3", "q4f16_1")
        key.write(tmp_path / f"{number}.key")
        models += ["--model", f"{number}.entry", f"{number}.key"]

    def run(option, name, *more):
        main(["--where", "//a:b", *models, option, name, "--listing", "l.json", *more])
        text = (tmp_path / name).read_text()
        digest = hashlib.sha256(text.encode()).hexdigest()
        assert json.loads((tmp_path / "l.json").read_text()) == [
            {"path": f"app/{name}", "nbytes": len(text.encode()), "sha256": digest}
        ]
        return text

    return run


def test_swift(write):
    text = write("--swift", "MLCModels.swift")
    assert (
        "    public static let phi_3_5_mini_q4f16_1_mlc = "
        'MLCModel(id: "Phi-3.5-mini-q4f16_1-MLC", lib: "phi_0")\n'
        '    public static let model_it_s_new = MLCModel(id: "it\'s $new", lib: "phi_1")\n'
    ) in text
    assert "static let all: [MLCModel] = [phi_3_5_mini_q4f16_1_mlc, model_it_s_new]" in text


def test_kotlin(write):
    text = write("--kotlin", "MlcModels.kt")
    assert (
        "    val phi_3_5_mini_q4f16_1_mlc = "
        'MlcModel(id = "Phi-3.5-mini-q4f16_1-MLC", lib = "phi_0")\n'
        '    val model_it_s_new = MlcModel(id = "it\'s \\$new", lib = "phi_1")\n'
    ) in text
    assert "val all: List<MlcModel> = listOf(phi_3_5_mini_q4f16_1_mlc, model_it_s_new)" in text


@pytest.mark.parametrize(
    ("model_ids", "names"),
    [
        (
            ["class", "3b", "a.1", "A-1", "a_1"],
            ["model_class", "model_3b", "a_1", "a_1_2", "a_1_3"],
        ),
        (["é", "+"], ["model_", "model__2"]),
    ],
)
def test_identifiers(model_ids, names):
    assert identifiers(model_ids) == names


def test_xcconfig(write):
    libraries = ["--link", "libmodel_iphone.a", "--link", "libmlc_llm.a"]
    lines = write("--xcconfig", "mlc.xcconfig", *libraries).splitlines()
    settings = dict(line.split(" = ", 1) for line in lines if not line.startswith("//") and line)
    assert settings == {
        "MLC_DIST": "$(PROJECT_DIR)/dist",
        "LIBRARY_SEARCH_PATHS": '$(inherited) "$(MLC_DIST)/lib"',
        "OTHER_LDFLAGS": "$(inherited) -Wl,-all_load -lmodel_iphone -lmlc_llm "
        "-Wl,-u,_phi_0___tvm_ffi__library_bin -Wl,-u,_phi_1___tvm_ffi__library_bin",
        "STRIP_STYLE": "non-global",
        "MLC_EXPORTED_SYMBOLS_FILE": "$(MLC_DIST)/app/exported_symbols.txt",
    }


def test_exported_symbols(write, tmp_path):
    symbols = {"_b": STRONG, "_a": STRONG, "_w": WEAK, "_l": LOCAL, "_u": UNDEFINED}
    archive = ar_macho.archive([Member("x.o", macho_object(symbols), ())])
    (tmp_path / "lib.a").write_bytes(archive)
    text = write("--exported-symbols", "exported_symbols.txt", "--archive", "lib.a")
    assert text == "_a\n_b\n"
