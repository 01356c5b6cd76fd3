"""The repository of a package config: targets that stay the same where the edit is elsewhere."""

from __future__ import annotations

import re

import pytest

from tools.cli import UserError
from tools.package_config import with_devices
from tools.package_config.repository import describe


@pytest.fixture
def answer(load):
    """Describes the repository of a config."""

    def call(config, *devices):
        hub = {"mlc-ai/Qwen3-0.6B-q0f16-MLC": "qwen3"}
        return describe(
            with_devices(load(config).config, devices),
            hub,
            {"iphone": "@@//app:runtime"},
            "app/dist",
        )

    return call


def libraries(text: str) -> list[str]:
    return re.findall(r"^mlc_model_lib\(.*?^\)", text, re.MULTILINE | re.DOTALL)


def test_files_are_linked_and_their_directories_watched(answer, config, folder):
    described = answer(config)
    phi = folder / "My models (new)" / "phi"
    names = ("mlc-chat-config.json", "params_shard_0.bin")
    assert described["links"] == {f"models/phi/{name}": str(phi / name) for name in names}
    assert described["directories"] == [str(phi)]


def test_model_of_the_hub_is_its_config_alone_unless_bundled(answer, config):
    text = answer(config)["build_file"]
    assert 'config = "@qwen3//:config"' in text
    assert "@qwen3//:weights" not in text
    config["model_list"][0]["bundle_weight"] = True
    assert 'weights = "@qwen3//:weights"' in answer(config)["build_file"]


def test_new_id_compiles_nothing(answer, config):
    before = libraries(answer(config)["build_file"])
    config["model_list"][1]["model_id"] = "other"
    after = answer(config)
    assert libraries(after["build_file"]) == before
    assert 'name = "other"' in after["build_file"]


def test_edit_of_one_entry_leaves_the_libraries_of_others(answer, config):
    """Also where both are of one model, and in another order."""
    first = config["model_list"][1]
    other = {**first, "model_id": "other", "overrides": {"context_window_size": 512}}
    plain = libraries(answer({**config, "model_list": [first]})["build_file"])
    both = libraries(answer({**config, "model_list": [other, first]})["build_file"])
    assert len(both) == 2
    assert plain == both[1:]


def test_entries_of_one_model_share_library_and_weights(answer, config):
    first = config["model_list"][1]
    same, other = {**first, "model_id": "same"}, {**first, "model_id": "other"}
    other["overrides"] = {"context_window_size": 512}
    config["model_list"] += [same, other]
    text = answer(config)["build_file"]
    assert len(libraries(text)) == 3
    assert text.count("mlc_weight_bundle(") == 1


def test_one_device_and_several(answer, config):
    one = answer(config)["build_file"]
    assert 'name = "mlc_package",\n    device = "android",\n    install_dir = "app/dist"' in one
    several = answer(config, "iphone", "macabi:x86_64")["build_file"]
    assert 'install_dir = "app/dist/macabi_x86_64"' in several
    assert 'device = "macabi:x86_64"' in several
    assert '":mlc_package_iphone",\n        ":mlc_package_macabi_x86_64"' in several
    assert 'device = "android"' not in several
    assert several.count('runtime = "@@//app:runtime"') == 1


def test_runtime_of_upstreams_sources(load, config):
    """For phones that have none; on Android the libraries are linked into it."""
    devices = ("android:adreno", "iphone", "macabi:x86_64", "cpu")
    config["model_list"][1]["model_id"] = "mlc_package_android_adreno_runtime"
    given = with_devices(load(config).config, devices)
    hub = {"mlc-ai/Qwen3-0.6B-q0f16-MLC": "qwen3"}
    text = describe(given, hub, {"iphone": "//app:runtime"}, "dist", "0.27.0")["build_file"]
    assert text.count("mlc_runtime_from_source(\n") == 2
    assert '"mlc_runtime_from_source", "mlc_weight_bundle")\n' in text
    for call in (
        """\
filegroup(
    name = "mlc_package_android_adreno_archive",
    srcs = [":mlc_package_android_adreno_models"],
    output_group = "libraries",
)
""",
        """\
mlc_runtime_from_source(
    name = "mlc_package_android_adreno_runtime_",
    device = "android",
    model_archive = ":mlc_package_android_adreno_archive",
    version = "0.27.0",
)
""",
        """\
mlc_runtime_from_source(
    name = "mlc_package_macabi_x86_64_runtime",
    device = "macabi:x86_64",
    version = "0.27.0",
)
""",
        '    runtime = ":mlc_package_android_adreno_runtime_",\n',
        '    runtime = "//app:runtime",\n',
    ):
        assert text.count(call) == 1, text


def test_device_that_there_is_not(answer, config):
    with pytest.raises(UserError, match=r'^device: there is no "iphnoe"; did you mean iphone\?'):
        answer(config, "iphnoe")


def test_model_that_bazel_did_not_see(load, config):
    with pytest.raises(UserError, match=r"^HF://mlc-ai/Qwen3-0.6B-q0f16-MLC: Bazel's reader"):
        describe(load(config).config, {}, {}, "dist")


def test_model_id_that_is_the_name_of_another_target(answer, config):
    config["model_list"][1]["model_id"] = "mlc_package"
    text = answer(config)["build_file"]
    assert 'name = "mlc_package_"' in text
    assert 'model_id = "mlc_package"' in text
