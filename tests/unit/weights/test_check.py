"""A damaged, incomplete or hostile directory of weights is refused before it reaches a package."""

from __future__ import annotations

import hashlib

import pytest


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_complete_bundle(bundle):
    manifest = bundle.check()
    assert manifest["chat_config"] == {"model_type": "llama", "quantization": "q4f16_1"}
    assert manifest["params"] == {
        "a.bias": {"dtype": "float32", "shape": [4, 4]},
        "a.q_weight": {"dtype": "uint32", "shape": [4, 4]},
        "norm": {"dtype": "float16", "shape": [5]},
    }
    # In memory: f32-to-bf16 is stored in half of its 64 bytes.
    assert manifest["parameter_bytes"] == 64 + 64 + 10
    assert [file["path"] for file in manifest["files"]] == [
        "mlc-chat-config.json",
        "params_shard_0.bin",
        "params_shard_1.bin",
        "tensor-cache.json",
        "tokenizer.json",
    ]
    assert manifest["files"][1] == {
        "path": "params_shard_0.bin",
        "nbytes": 96,
        "sha256": _sha256(bytes(range(96))),
    }


def test_old_name_of_the_cache_becomes_the_new_one(bundle):
    bundle.cache_name = "ndarray-cache.json"
    paths = [file["path"] for file in bundle.check()["files"]]
    assert "tensor-cache.json" in paths
    assert "ndarray-cache.json" not in paths


def test_md5_is_optional_and_may_be_in_upper_case(bundle):
    shards = bundle.cache["records"]
    shards[0]["md5sum"] = shards[0]["md5sum"].upper()
    del shards[1]["md5sum"]
    assert bundle.check()


def test_file_whose_sha256_was_known_needs_no_md5(bundle):
    expected = bundle.check()
    bundle.digests = ("nbytes", "sha256")
    assert bundle.check() == expected


def test_other_types_are_stored_whole_whatever_the_format_says(bundle):
    for shard in bundle.cache["records"]:
        for tensor in shard["records"]:
            tensor["format"] = "f32-to-bf16"
    assert bundle.check()["parameter_bytes"] == 64 + 64 + 10


def test_tensor_of_an_unknown_type_is_taken_at_its_word(bundle):
    bundle.cache["records"][1]["records"][0]["dtype"] = "int4x2"
    assert bundle.check()["parameter_bytes"] == 64 + 64 + 10


def test_missing_shard(bundle, errors_of):
    del bundle.files["params_shard_1.bin"]
    assert errors_of(bundle) == [
        "params_shard_1.bin: is missing, and tensor-cache.json lists it; add it to the bundle"
    ]


def test_truncated_shard(bundle, errors_of):
    bundle.files["params_shard_1.bin"] = b"x" * 9
    assert errors_of(bundle) == [
        "params_shard_1.bin: has 9 bytes, tensor-cache.json says 10; get the file again"
    ]


def test_wrong_md5(bundle, errors_of):
    bundle.files["params_shard_1.bin"] = b"y" * 10
    found = hashlib.md5(b"y" * 10, usedforsecurity=False).hexdigest()
    said = hashlib.md5(b"x" * 10, usedforsecurity=False).hexdigest()
    assert errors_of(bundle) == [
        f"params_shard_1.bin: has the md5 {found}, tensor-cache.json says {said}; "
        "get the file again"
    ]


def test_missing_tokenizer_file(bundle, errors_of):
    del bundle.files["tokenizer.json"]
    assert errors_of(bundle) == [
        "tokenizer.json: is missing, and tokenizer_files of mlc-chat-config.json lists it; "
        "add it to the bundle"
    ]


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("../x.bin", "contains a slash"),
        ("/etc/passwd", "contains a slash"),
        ("..", "names a directory that is not its own"),
        ("a\\b", "contains a backslash"),
        ("a\0b", "contains a control character"),
        ("", "is empty"),
        (None, "is not a string"),
        ("mlc-chat-config.json", "is the name of another file of a bundle"),
        ("tensor-cache.json", "is the name of another file of a bundle"),
        ("ndarray-cache.json", "is the name of another file of a bundle"),
    ],
)
def test_shard_name_that_could_leave_the_bundle(bundle, errors_of, name, what):
    bundle.cache["records"][1]["dataPath"] = name
    assert errors_of(bundle) == [
        f"tensor-cache.json: $.records[1].dataPath: {name!r} {what}; expected a plain file name"
    ]


def test_tokenizer_name_that_could_leave_the_bundle(bundle, errors_of):
    bundle.chat_config["tokenizer_files"] = ["../tokenizer.json"]
    assert errors_of(bundle) == [
        "mlc-chat-config.json: $.tokenizer_files[0]: '../tokenizer.json' contains a slash; "
        "expected a plain file name"
    ]


def test_file_name_that_could_leave_the_bundle(bundle, errors_of):
    bundle.files["sub/../../x"] = b""
    assert errors_of(bundle) == [
        "'sub/../../x' names a directory that is not its own; rename the file"
    ]


def test_names_that_differ_in_letter_case_only(bundle, errors_of):
    """They would be one file on the Mac that builds the app."""
    bundle.files["Tokenizer.json"] = b"{}"
    assert errors_of(bundle) == [
        "Tokenizer.json: differs from tokenizer.json in letter case only; remove one of them"
    ]


def test_file_in_a_folder_is_part_of_the_bundle(bundle):
    bundle.files["original/notes.txt"] = b"hello"
    assert "original/notes.txt" in [file["path"] for file in bundle.check()["files"]]


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("nbytes", -1, "nbytes: expected a number of bytes, got -1"),
        ("nbytes", True, "nbytes: expected a number of bytes, got True"),
        ("md5sum", "xyz", "md5sum: expected 32 hexadecimal digits, got 'xyz'"),
        ("records", None, "records: expected a list of tensors"),
    ],
)
def test_bad_field_of_a_shard(bundle, errors_of, field, value, line):
    bundle.cache["records"][1][field] = value
    assert errors_of(bundle) == [f"tensor-cache.json: $.records[1].{line}"]


@pytest.mark.parametrize(
    ("field", "value", "line"),
    [
        ("name", "", "name: expected a parameter's name, got ''"),
        ("shape", [4, -1], "shape: expected a list of sizes, got [4, -1]"),
        ("shape", 5, "shape: expected a list of sizes, got 5"),
        ("dtype", None, "dtype: expected a type such as float16, got None"),
        ("byteOffset", -1, "byteOffset: expected a number of bytes, got -1"),
        ("nbytes", "10", "nbytes: expected a number of bytes, got '10'"),
    ],
)
def test_bad_field_of_a_tensor(bundle, errors_of, field, value, line):
    bundle.cache["records"][1]["records"][0][field] = value
    assert errors_of(bundle) == [f"tensor-cache.json: $.records[1].records[0].{line}"]


def test_tensor_outside_of_its_shard(bundle, errors_of):
    bundle.cache["records"][1]["records"][0]["byteOffset"] = 1
    assert errors_of(bundle) == [
        "tensor-cache.json: $.records[1].records[0]: norm ends at byte 11 of a shard of 10 bytes; "
        "convert the weights again"
    ]


def test_tensor_whose_size_is_not_that_of_its_shape(bundle, errors_of):
    bundle.cache["records"][0]["records"][1]["shape"] = [4, 5]
    assert errors_of(bundle) == [
        "tensor-cache.json: $.records[0].records[1]: a.bias of shape [4, 5] and type bfloat16 "
        "takes 40 bytes, not 32; convert the weights again"
    ]


def test_parameter_listed_twice(bundle, errors_of):
    bundle.cache["records"][0]["records"][1]["name"] = "norm"
    assert errors_of(bundle) == [
        "tensor-cache.json: the parameter norm is listed twice; convert the weights again"
    ]


def test_shard_listed_twice(bundle, errors_of):
    bundle.cache["records"].append({**bundle.cache["records"][1], "records": []})
    assert errors_of(bundle) == [
        "tensor-cache.json: params_shard_1.bin is listed twice; convert the weights again"
    ]


@pytest.mark.parametrize("cache", [[], {}, {"records": {}}, {"records": []}])
def test_cache_without_shards(bundle, errors_of, cache):
    bundle.cache = cache
    assert errors_of(bundle) == [
        "tensor-cache.json: $.records: expected a list of shards; convert the weights again"
    ]


def test_records_that_are_no_objects(bundle, errors_of):
    bundle.cache["records"][0]["records"][0] = "a"
    bundle.cache["records"][1] = 1
    assert errors_of(bundle) == [
        "tensor-cache.json: $.records[0].records[0]: expected an object, a tensor",
        "tensor-cache.json: $.records[1]: expected an object, a shard",
    ]


@pytest.mark.parametrize(
    ("config", "lines"),
    [
        ([], ["mlc-chat-config.json: $: expected an object"]),
        (
            {"model_type": "llama", "quantization": 4},
            ["mlc-chat-config.json: $.quantization: expected a string"],
        ),
        (
            {"model_type": "llama", "quantization": "q0f16", "tokenizer_files": "a"},
            ["mlc-chat-config.json: $.tokenizer_files: expected a list of file names"],
        ),
    ],
)
def test_bad_chat_config(bundle, errors_of, config, lines):
    bundle.chat_config = config
    assert errors_of(bundle) == lines


def test_both_caches_under_the_new_name(bundle, errors_of):
    bundle.cache_name = "ndarray-cache.json"
    bundle.files["tensor-cache.json"] = b"{}"
    assert errors_of(bundle) == [
        "tensor-cache.json: is given beside ndarray-cache.json; keep the newer of them"
    ]


def test_many_mistakes_are_cut(bundle, errors_of):
    template = bundle.cache["records"][1]
    bundle.cache["records"] = [
        {**template, "dataPath": f"{i}.bin", "records": []} for i in range(30)
    ]
    lines = errors_of(bundle)
    assert len(lines) == 21
    assert lines[0] == "0.bin: is missing, and tensor-cache.json lists it; add it to the bundle"
    assert lines[20] == "and 10 more mistakes"


def test_nothing_is_written_on_a_mistake(bundle, errors_of):
    del bundle.files["tokenizer.json"]
    errors_of(bundle)
    assert not (bundle.folder / "weights.json").exists()


def test_file_given_twice_and_required_files():
    from tools.cli import UserError
    from tools.weights.check import check

    digest = ("a", {"nbytes": 0, "md5": "", "sha256": ""})
    config = {"model_type": "llama", "quantization": "q0f16"}
    with pytest.raises(UserError) as caught:
        check("//a:b", config, {"records": []}, "tensor-cache.json", [digest, digest])
    assert str(caught.value).splitlines() == [
        "//a:b: a: is given twice; keep one of the files",
        "//a:b: mlc-chat-config.json: is missing; add it to the bundle",
        "//a:b: tensor-cache.json: is missing; add it to the bundle",
        "//a:b: tensor-cache.json: $.records: expected a list of shards; convert the weights again",
    ]


def test_syntax_error_names_target_file_and_place(bundle):
    from tools import cli
    from tools.weights.__main__ import main

    (bundle.folder / "config").write_bytes(b"{}")
    (bundle.folder / "cache").write_bytes(b'{"a": 1, "a": 2}')
    argv = ["check", "--where", "//app:w", "--chat-config", str(bundle.folder / "config")]
    argv += ["--tensor-cache", str(bundle.folder / "cache"), "--output", "never"]
    with pytest.raises(cli.UserError) as caught:
        main(argv)
    assert str(caught.value) == (
        '//app:w: tensor-cache.json:1:10: the key "a" appears twice in one object; keep one of them'
    )
