"""Every family's small model also compiles for the devices that cannot run here."""

from __future__ import annotations

import io
import tarfile

import lief
import pytest

from tests.numeric.models import MODEL_TYPES, chat_config
from tools import config
from tools.compiler.compile import SYMBOL_SUFFIX, compile_library

# One model of each family.
MODELS = list({model_type: model for model, model_type in MODEL_TYPES.items()}.values())


@pytest.mark.parametrize("device", ["android", "iphone"])
@pytest.mark.parametrize("model", MODELS)
def test_library_has_its_symbol(model, device, tmp_path):
    key = config.build_key(chat_config(model, "q4f16_1"), device, model_lib="small")
    library = tmp_path / "small.tar"
    compile_library(key, library, tmp_path / "metadata.json", tmp_path / "log")
    with tarfile.open(fileobj=io.BytesIO(library.read_bytes())) as tar:
        objects = [lief.parse(tar.extractfile(member).read()) for member in tar]
    names = {symbol.name.lstrip("_") for binary in objects for symbol in binary.symbols}
    assert f"small_{SYMBOL_SUFFIX}" in names


def test_every_family_has_a_model():
    assert set(MODEL_TYPES.values()) == set(config.families())
