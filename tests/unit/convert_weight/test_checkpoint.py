"""Checkpoints are read as they are, damaged ones are refused, and none of their code runs."""

from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.unit.convert_weight.conftest import write_safetensors
from tools.cli import UserError
from tools.convert_weight import checkpoint
from tools.convert_weight.tensor import Tensor
from tools.convert_weight.values import widen

DATA = Path(__file__).parent / "data"
MATRIX = np.arange(12, dtype=np.float32).reshape(3, 4) / 8


def read(paths: list[str]) -> dict[str, Tensor]:
    return checkpoint.read({Path(path).name: path for path in paths})


def wide(tensor: Tensor) -> np.ndarray:
    return widen(tensor.array(), tensor.dtype)


def test_a_pytorch_file():
    """Every type, a transposed tensor, views of one storage, a Parameter, an empty tensor."""
    tensors = read([str(DATA / "tensors.bin")])
    for name in ("float32", "bfloat16", "parameter"):
        assert np.array_equal(wide(tensors[name]), MATRIX)
    assert np.array_equal(wide(tensors["transposed"]), MATRIX.T)
    assert np.array_equal(wide(tensors["first"]), np.arange(5))
    assert np.array_equal(wide(tensors["every_other"]), np.arange(5, 20, 2))
    assert wide(tensors["empty"]).shape == (0, 4)
    assert wide(tensors["scalar"]) == 0.5
    assert tensors["bfloat16"].dtype == "bfloat16" and tensors["parameter"].dtype == "float16"
    assert not tensors["mask"].is_readable


def test_a_state_dict():
    """What most published .bin files are."""
    tensors = read([str(DATA / "state_dict.bin")])
    assert np.array_equal(wide(tensors["weight"]), [[1, 2], [3, 4]])
    assert np.array_equal(wide(tensors["bias"]), [5, 6])


def test_a_pytorch_file_that_names_code():
    """A pickled module is refused by the name of its class, which is not imported."""
    with pytest.raises(UserError, match=r"module\.bin: data\.pkl names torch\.nn\.modules"):
        read([str(DATA / "module.bin")])


def test_code_in_a_pickle_does_not_run(tmp_path):
    """The classic attack: a call of os.system."""

    class Attack:
        def __reduce__(self):
            import os

            return os.mkdir, (str(tmp_path / "attacked"),)

    path = tmp_path / "pytorch_model.bin"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"weight": Attack()}, protocol=2))
    with pytest.raises(UserError, match=r"names posix\.mkdir, which is not of a tensor"):
        read([str(path)])
    assert not (tmp_path / "attacked").exists()


def test_a_pytorch_file_of_the_old_format():
    """It is a pickle as a whole, and is not read."""
    with pytest.raises(UserError, match=r"legacy\.bin: is not a PyTorch checkpoint of the \.zip"):
        read([str(DATA / "legacy.bin")])


@pytest.mark.parametrize("share", [0.2, 0.6, 0.9])
def test_a_part_of_a_pytorch_file(tmp_path, share):
    """What an interrupted copy leaves."""
    data = (DATA / "tensors.bin").read_bytes()
    path = tmp_path / "part.bin"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(UserError, match=r"part\.bin: .*(damaged|is not).*"):
        read([str(path)])


def test_damaged_pytorch_files(tmp_path):
    """Whatever byte is changed, an error is one line, or the tensors are in the file."""
    data = bytearray((DATA / "state_dict.bin").read_bytes())
    begin = data.index(b"PK\x03\x04")
    path = tmp_path / "damaged.bin"
    for position in range(begin, len(data), 3):
        changed = bytearray(data)
        changed[position] ^= 0x5A
        path.write_bytes(changed)
        try:
            for tensor in read([str(path)]).values():
                if tensor.is_readable:
                    tensor.array().sum()
        except UserError as error:
            assert len(str(error).splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:5], "is not a safetensors file"),
        (lambda data: data[:-1], "a: ends at byte"),
        (lambda data: b"\xff" * 8 + data[8:], "is not a safetensors file"),
        (lambda data: b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS"),
        (
            lambda data: data.replace(b"[3, 4]", b"[3, 5]"),
            r"float32\[3, 5\] takes 60 bytes, not 48",
        ),
        (lambda data: data.replace(b"[3, 4]", b"[3,-4]"), "expected dtype, shape and data_offsets"),
        (lambda data: data.replace(b'"a"', b'"a '), "header:1:"),
    ],
)
def test_damaged_safetensors(tmp_path, change, message):
    """Each says what is wrong, in one line."""
    path = tmp_path / "model.safetensors"
    write_safetensors(path, {"a": MATRIX})
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(UserError, match=message):
        read([str(path)])


def test_files_of_an_index(tmp_path):
    """Those that the index lists are read, and no other."""
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    files = [str(tmp_path / "model.safetensors.index.json")]
    files += [write_safetensors(tmp_path / "model-1.safetensors", {"a": MATRIX})]
    files += [write_safetensors(tmp_path / "consolidated.safetensors", {"a": MATRIX})]
    files += [str(DATA / "tensors.bin")]
    with pytest.raises(
        UserError, match=r"model-2\.safetensors: is missing, and model\.safetensors"
    ):
        read(files)
    files += [write_safetensors(tmp_path / "model-2.safetensors", {"c": MATRIX})]
    with pytest.raises(UserError, match=r"model-2\.safetensors: lacks b, which"):
        read(files)
    write_safetensors(tmp_path / "model-2.safetensors", {"b": MATRIX})
    assert set(read(files)) == {"a", "b"}


def test_a_tensor_in_two_files(tmp_path):
    """Which one is meant is not guessed."""
    files = [write_safetensors(tmp_path / f"{n}.safetensors", {"a": MATRIX}) for n in "xy"]
    with pytest.raises(UserError, match=r"a: is in x\.safetensors and in y\.safetensors"):
        read(files)


def test_no_weights(tmp_path):
    """config.json alone is no checkpoint, and the state of a training is not one either."""
    (tmp_path / "training_args.bin").write_bytes(b"x")
    with pytest.raises(UserError, match="has no weights; expected"):
        read([str(tmp_path / "config.json"), str(tmp_path / "training_args.bin")])
