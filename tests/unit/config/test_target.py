"""Attributes of the target, architectures and optimization levels: what reaches the key."""

from __future__ import annotations

import json

import pytest

from tools.config import devices, load_key

CUDA = "cuda:x86_64-linux"
WHERE = ("--where", "//app:lib")


def test_attributes_are_in_the_key_and_the_target(run, chat_config, tmp_path):
    """Numbers may be strings, as in a build file; the host's attributes have a prefix."""
    target = {"max_threads_per_block": "512", "host.mcpu": "cortex-a76"}
    key = run(chat_config, "--target", json.dumps(target))
    assert key["target"] == {"host.mcpu": "cortex-a76", "max_threads_per_block": 512}
    made = load_key(tmp_path / "key.json").tvm_target()
    assert made["max_threads_per_block"] == 512
    assert made["host"] == {
        "kind": "llvm",
        "mcpu": "cortex-a76",
        "mtriple": "aarch64-linux-android",
    }
    assert key["model_lib"] != run(chat_config)["model_lib"]


def test_what_the_device_has_anyway_is_not_in_the_key(run, chat_config):
    """The same library has the same key."""
    same = json.dumps({"max_threads_per_block": "256", "libs": ["iphoneos"]})
    arguments = {"device": "iphone"}
    assert run(chat_config, "--target", same, **arguments) == run(chat_config, **arguments)


@pytest.mark.parametrize(
    ("device", "target", "line"),
    [
        (
            "webgpu",
            {"supports_subgroup": "true"},
            "target.supports_subgroup: webgpu has no such attribute; "
            "did you mean supports_subgroups? (known: ",
        ),
        (
            "cpu:x86_64-linux",
            {"max_num_threads": 8},
            "target.max_num_threads: llvm has no such attribute; ",
        ),
        (
            "android",
            {"max_num_threads": "many"},
            'target.max_num_threads: expected an integer of at least 1, got "many"',
        ),
        ("android", {"max_num_threads": 0}, "expected an integer of at least 1, got 0"),
        ("android", {"max_num_threads": True}, "expected an integer of at least 1, got true"),
        ("webgpu", {"supports_subgroups": 1}, "expected true or false, got 1"),
        ("metal", {"libs": "macosx"}, 'expected a list of strings, got "macosx"'),
        ("android", {"device": 1}, "target.device: expected a string, got 1"),
        (
            "cpu:x86_64-linux",
            {"mcpu": "native"},
            "target.mcpu: native is the machine that builds, and a library has the same bytes on "
            "all; name the CPU, such as x86-64-v4",
        ),
        ("android", {"host.mcpu": "native"}, "target.host.mcpu: native is the machine"),
        ("android", [], "//app:lib target: expected an object, got []"),
    ],
)
def test_attributes_that_a_target_cannot_have(error_of, chat_config, device, target, line):
    """One line, with what there is."""
    error = error_of(chat_config, "--target", json.dumps(target), *WHERE, device=device)
    assert error.startswith("//app:lib target")
    assert line in error
    assert "\n" not in error


def test_architectures(run, chat_config, tmp_path):
    """Sorted by number, each once; code is generated for the lowest."""
    given = [f"--architecture={name}" for name in ("90a", "100", "80", "90a")]
    key = run(chat_config, *given, device=CUDA)
    assert key["architectures"] == ["80", "90a", "100"]
    assert load_key(tmp_path / "key.json").tvm_target()["arch"] == "sm_80"
    assert run(chat_config, *given) == run(chat_config)


@pytest.mark.parametrize("name", ["sm_80", "8.0", "8", "", "80x", "080"])
def test_bad_architecture(error_of, chat_config, name):
    """On every device, so that a mistake does not wait for the CUDA build."""
    assert error_of(chat_config, "--architecture", name, *WHERE) == (
        "//app:lib architectures: expected compute capabilities without a dot, such as 80 or 90a, "
        f'got "{name}"'
    )


@pytest.mark.parametrize("device", devices())
def test_optimization_levels(run, chat_config, device):
    """Levels that mean the same have one key: they differ for CUDA alone, from O1 to O2."""
    keys = {level: run(chat_config, "--opt", level, device=device) for level in ("O0", "O1", "O2")}
    assert keys["O0"] == keys["O1"]
    assert keys["O2"] == run(chat_config, device=device)
    assert keys["O2"] == run(chat_config, "--opt", "O3", device=device)
    is_cuda = device.startswith("cuda:")
    assert (keys["O1"] != keys["O2"]) == is_cuda
    assert keys["O2"].get("optimizations", []) == (["cuda_graph"] if is_cuda else [])
